"""What several processes of one service have in common: sessions, logins under way, used tokens, counted requests."""
