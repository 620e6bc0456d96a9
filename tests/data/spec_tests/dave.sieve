require ["fileinto", "vacation", "enotify", "include", "reject"];
if header :is "Subject" "file" { fileinto "Work"; }
elsif header :is "Subject" "throw" { discard; }
elsif header :is "Subject" "tell" { notify "mailto:phone@x.example"; vacation "Away."; }
elsif header :is "Subject" "refuse" { reject "No."; }
elsif header :is "Subject" "fail" { include "missing"; }
