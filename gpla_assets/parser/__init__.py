"""M_P: texts -> perceptions. `perceptions` makes their rows; one file a backend."""
