"""What is said about data outside the house: pure functions of a Resource."""
