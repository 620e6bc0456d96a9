require ["imap4flags", "fileinto"];
if header :contains "Subject" "for the archive" { fileinto "Archive"; }
