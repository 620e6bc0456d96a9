# fileinto is not required
keeep;
if header :contains "subject" "x" {
    fileinto "X";
}
