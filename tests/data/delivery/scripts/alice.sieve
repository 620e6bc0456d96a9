require ["fileinto", "imap4flags", "vacation", "enotify", "copy", "reject"];

if header :contains "Subject" "invoice" {
    fileinto "Invoices";
} elsif header :contains "Subject" "lists" {
    fileinto "Lists/Team";
    fileinto :copy "Archive";
} elsif header :contains "Subject" "spam" {
    discard;
} elsif header :contains "Subject" "urgent" {
    notify :message "urgent mail" "mailto:phone@elsewhere.example";
} elsif header :contains "Subject" "to Bob" {
    redirect "bob@example.com";
} elsif header :contains "Subject" "out" {
    redirect "friend@elsewhere.example";
} elsif header :contains "Subject" "go away" {
    reject "Not here, please.";
} elsif header :contains "Subject" "holiday" {
    vacation "I am away.";
}
