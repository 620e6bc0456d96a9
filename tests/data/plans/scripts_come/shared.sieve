# nothing
keep;
