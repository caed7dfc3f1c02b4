"""M_G: perceptions -> values. One file a backend."""
