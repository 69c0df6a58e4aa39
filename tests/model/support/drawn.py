"""Profiles of the traits of the model, drawn: each known or not."""

from __future__ import annotations

from hypothesis import strategies as st

from bcma_decide.vocabulary import MODEL_TRAIT_IDS

binary = st.sampled_from([None, 0.0, 1.0])
profiles = st.tuples(
    st.none() | st.floats(1.8, 11.0),
    st.none() | st.floats(0.0, 4.91),
    *[binary for _ in range(len(MODEL_TRAIT_IDS) - 2)],
)
