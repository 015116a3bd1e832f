# Configuration of a temporary Request Tracker, which writes only to $RT_DIRECTORY.
use utf8;
Set($rtname, 'rt.test');
Set($Organization, 'rt.test');
Set($Timezone, 'UTC');
Set($WebDomain, '127.0.0.1');
Set($WebPort, $ENV{RT_PORT});
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, "$ENV{RT_DIRECTORY}/rt.sqlite");
Set($BcryptCost, $ENV{RT_BCRYPT_COST});    # each request with a token hashes it once
Set($CorrespondAddress, 'rt@rt.test');
Set($CommentAddress, 'rt-comment@rt.test');
# Mail is never sent, but appended to a file.
Set($MailCommand, sub {
    my ($entity) = @_;
    open my $file, '>>', "$ENV{RT_DIRECTORY}/mail" or die "Cannot write mail: $!";
    print $file $entity->as_string, "\n\x00\n";
    close $file or die "Cannot write mail: $!";
    return 1;
});
Set($RecordOutgoingEmail, 0);
Set(%GnuPG, Enable => 0);
Set(%SMIME, Enable => 0);
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'error');
Set($HTMLFormatter, 'core');               # the built-in one
$RT::VarPath = "$ENV{RT_DIRECTORY}/var";
$RT::MasonDataDir = "$ENV{RT_DIRECTORY}/mason_data";
$RT::MasonSessionDir = "$ENV{RT_DIRECTORY}/session_data";
1;
