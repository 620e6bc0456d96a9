require ["fileinto", "vacation", "enotify"];
if allof (header :contains "Subject" "Invoice", not address :domain "From" "example.com") {
    fileinto "Invoices";
    vacation "I am away until Monday.";
    notify :message "an invoice" "mailto:phone@elsewhere.test";
}
