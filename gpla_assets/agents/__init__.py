"""What all agents share: how they are chosen, asked, checked and recorded."""
