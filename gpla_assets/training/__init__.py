"""How the agents that ship are trained and measured; no study enters here."""
