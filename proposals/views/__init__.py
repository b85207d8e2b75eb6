"""The pages of proposals: the list, and the tabs of one whose data are the proposal's own."""
