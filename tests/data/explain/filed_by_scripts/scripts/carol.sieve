require ["include", "fileinto"];
if header :contains "Subject" "invoice" { include :personal "invoices"; }
fileinto "Archive";
