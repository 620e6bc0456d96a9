require ["date", "index"];
if date "date" "century" "20" { keep; }
if date :zone "GMT" "date" "hour" "20" { keep; }
if header :last "received" "a" { keep; }
