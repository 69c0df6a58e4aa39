"""Who is calling: tokens and the keys they are signed with."""
