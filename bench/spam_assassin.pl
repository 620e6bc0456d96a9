# SpamAssassin's Bayes alone, without its rules: spam_assassin.pl FOLDER, where it keeps what it learned.
# Each line it reads is what to do (spam, ham or score) and the path of a message; it answers a line with a probability,
# or with what became of the lesson.
use strict;
use warnings;
use Mail::SpamAssassin;
use Mail::SpamAssassin::PerMsgStatus;

my ($folder) = @ARGV;
my $shipped = '/usr/share/spamassassin';
my $program = Mail::SpamAssassin->new({
    config_text => <<"END",
include $shipped/20_aux_tlds.cf
loadplugin Mail::SpamAssassin::Plugin::Bayes
bayes_path $folder/bayes
bayes_auto_learn 0
bayes_auto_expire 0
include $shipped/60_bayes_stopwords.cf
END
    userstate_dir    => $folder,
    dont_copy_prefs  => 1,
    local_tests_only => 1,
});
$program->init(1);
$program->init_learner({ caller_will_untie => 1 });
my ($bayes) = grep { $_->isa('Mail::SpamAssassin::Plugin::Bayes') } @{ $program->{plugins}{plugins} };
$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my ($what, $path) = split / /, $line, 2;
    open(my $file, '<:raw', $path) or die "$path: $!";
    my $mail = $program->parse([<$file>], 1);
    if ($what eq 'score') {
        my $status = Mail::SpamAssassin::PerMsgStatus->new($program, $mail);
        $status->extract_message_metadata;
        my $probability = $bayes->scan($status, $mail);
        # Where it knows nothing it says nothing.
        print defined $probability ? $probability : 0.5, "\n";
        $status->finish;
    } else {
        my $status = $program->learn($mail, undef, $what eq 'spam', 0);
        print $status->did_learn ? "learned\n" : "known\n";
        $status->finish;
    }
    $mail->finish;
}
$program->finish_learner;
$program->finish;
