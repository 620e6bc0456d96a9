# second, new
keep;
