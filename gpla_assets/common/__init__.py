"""What holds in every room: faults that users can mend, and the keys of rows."""
