# second
keep;
