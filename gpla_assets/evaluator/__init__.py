"""M_E: how far a perception bears on a value, and which way. `scoring` has the rule."""
