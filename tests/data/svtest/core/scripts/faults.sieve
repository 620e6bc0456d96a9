kep;
if true { kip; }
