#!/usr/bin/perl
# Sets up Request Tracker 5 or 6 for Deskhand (tested with 5.0.3 and 5.0.7). Run it on Request Tracker's
# machine as a user that may read RT_SiteConfig.pm (root, or www-data on Debian):
#
#   perl request_tracker_setup.pl [--queue Support] [--user deskhand] [--field SupportRef]
#                                 [--token-name Deskhand] [--new-token] [--dry-run]
#
# Creates what is missing: the queue, the ticket custom field, a privileged user without a password, its
# rights, and an auth token. A second run changes nothing. Everything is checked before the first change:
# if an object conflicts and cannot be changed without loss, the script reports it and changes nothing.
#
# Writes what it changed to standard error, and the lines for Deskhand's .env to standard output, with the
# token only in the run that creates it: Request Tracker stores its hash. --new-token creates another one,
# and the old one stays valid until it is deleted. Set RT_LIB to the folder of Request Tracker's own modules
# if it is not one of the usual ones.
use strict;
use warnings;
use utf8;
use Encode ();
use Getopt::Long ();

BEGIN {
    my @folders = map { ("/usr/local/share/request-tracker$_/lib", "/usr/share/request-tracker$_/lib",
        "/opt/rt$_/local/lib", "/opt/rt$_/lib") } (6, 5);
    unshift @INC, grep { defined && -d } $ENV{RT_LIB}, @folders;
}

binmode $_, ':encoding(UTF-8)' for *STDOUT, *STDERR;
@ARGV = map { Encode::decode('UTF-8', $_) } @ARGV;
my %option = (queue => 'Support', user => 'deskhand', field => 'SupportRef', 'token-name' => 'Deskhand');
Getopt::Long::GetOptions(\%option, 'queue=s', 'user=s', 'field=s', 'token-name=s', 'new-token', 'dry-run')
    && !@ARGV && !grep { $_ eq '' } @option{qw(queue user field token-name)}
    or stop('usage: request_tracker_setup.pl [--queue NAME] [--user NAME] [--field NAME]'
        . ' [--token-name NAME] [--new-token] [--dry-run]');

eval { require RT; RT::LoadConfig(); RT::Init(); 1 }
    or stop("Cannot load Request Tracker: $@"
        . 'Run this on its machine, as a user that may read RT_SiteConfig.pm, or set RT_LIB');
RT->SystemUser && RT->SystemUser->Id
    or stop("Request Tracker's database is empty or another one: see DatabaseName in RT_SiteConfig.pm");
eval { require RT::AuthToken; require RT::AuthTokens; 1 }
    or stop("Request Tracker $RT::VERSION has no auth tokens: Deskhand needs version 5 or 6");

# A reference as Deskhand generates it: the custom field must accept it.
my $EXAMPLE = 'SR-01M857JJM2SCJ21CGTHC4N37D3';
my @QUEUE_RIGHTS = qw(SeeQueue CreateTicket SeeCustomField ModifyCustomField);
# On every queue: otherwise a ticket that an agent has moved looks absent, and a resume creates another.
my @GLOBAL_RIGHTS = qw(ShowTicket);

my (@plan, @problems, @warnings, $token);
my $queue = plan_queue();
my $field = plan_field();
my $user = plan_user();
plan_application();
plan_rights();
plan_token();

stop("Nothing was changed:\n" . join '', map { "  $_\n" } @problems) if @problems;
for my $step (@plan) {
    my ($what, $change) = @$step;
    my $result = !$change ? 'unchanged' : $option{'dry-run'} ? 'planned' : $change->();
    printf STDERR "  %-9s %s\n", $result, $what;
}
printf STDERR "  %-9s %s\n", 'warning', $_ for @warnings;
exit if $option{'dry-run'};

(my $url = RT->Config->Get('WebURL')) =~ s{/+$}{};
print assignment(SUPPORT_DESK_URL => $url);
print $token ? assignment(SUPPORT_DESK_TOKEN => $token)
    : "# SUPPORT_DESK_TOKEN: unchanged (--new-token creates another one)\n";
print assignment(SUPPORT_DESK_QUEUE => $queue->Name);
print assignment(SUPPORT_DESK_REFERENCE_FIELD => $option{field}) if $option{field} ne 'SupportRef';

sub plan_queue {
    my $queue = find('RT::Queue', $option{queue});
    if (!$queue->Id) {
        change("queue $option{queue}: created", sub { $queue->Create(Name => $option{queue}) });
    } elsif ($queue->Disabled) {
        change("queue $option{queue}: enabled", sub { $queue->SetDisabled(0) });
    } else {
        unchanged("queue $option{queue}");
    }
    return $queue;
}

# Prefers, among several fields of that name, the one that is applied to the queue.
sub plan_field {
    my $name = $option{field};
    my $fields = RT::CustomFields->new(RT->SystemUser);
    $fields->FindAllRows;
    $fields->Limit(FIELD => 'Name', VALUE => $name, CASESENSITIVE => 0);
    $fields->LimitToLookupType('RT::Queue-RT::Ticket');
    my @all = @{ $fields->ItemsArrayRef };
    my @applied = grep { is_applied($_) } @all;
    my @candidates = @applied ? @applied : @all;
    push @problems, "There are several custom fields $name: choose another name with --field"
        if @candidates > 1;
    my $field = $candidates[0] // RT::CustomField->new(RT->SystemUser);
    if (!$field->Id) {
        change("custom field $name: created", sub {
            $field->Create(Name => $name, Type => 'Freeform', MaxValues => 1,
                LookupType => 'RT::Queue-RT::Ticket', Description => 'Reference of the support request');
        });
        return $field;
    }
    push @problems, "The custom field $name is not for one free-form value: choose another with --field"
        if $field->Type ne 'Freeform' || $field->MaxValues != 1;
    push @problems, "The custom field $name has a pattern that $EXAMPLE does not match: remove it"
        unless $field->MatchPattern($EXAMPLE);
    unchanged("custom field $name") unless $field->Disabled || is_unique($field);
    change("custom field $name: enabled", sub { $field->SetDisabled(0) }) if $field->Disabled;
    # With unique values, Request Tracker silently drops the value of a second ticket.
    change("custom field $name: values need not be unique any more", sub { $field->SetUniqueValues(0) })
        if is_unique($field);
    return $field;
}

sub plan_user {
    my $name = $option{user};
    my $user = find('RT::User', $name);
    if (!$user->Id) {
        change("user $name: created, without a password", sub {
            $user->Create(Name => $name, RealName => 'Deskhand', Privileged => 1,
                Comments => 'Creates tickets for Deskhand with an auth token');
        });
        return $user;
    }
    unchanged("user $name") unless $user->Disabled || !$user->Privileged;
    change("user $name: enabled", sub { $user->SetDisabled(0) }) if $user->Disabled;
    change("user $name: made privileged", sub { $user->SetPrivileged(1) }) unless $user->Privileged;
    push @warnings, "$name may do everything (SuperUser), which is more than Deskhand needs"
        if $user->HasRight(Right => 'SuperUser', Object => RT->System);
    return $user;
}

sub plan_application {
    my $what = "custom field $option{field} on queue $option{queue}";
    return unchanged($what) if is_applied($field);
    change("$what: applied", sub { $field->AddToObject($queue) });
}

sub plan_rights {
    for my $right (@QUEUE_RIGHTS, @GLOBAL_RIGHTS) {
        my $is_global = grep { $_ eq $right } @GLOBAL_RIGHTS;
        my $what = "right $right of $option{user} " . ($is_global ? 'globally' : "on queue $option{queue}");
        my $object = $is_global ? RT->System : $queue;
        if ($user->Id && $object->Id && has_right($right, $object)) {
            unchanged($what);
        } else {
            change("$what: granted", sub {
                # HasRight is false for a disabled user, so check again after the user was enabled.
                return (1, 'unchanged') if has_right($right, $object);
                $user->PrincipalObj->GrantRight(Right => $right, Object => $object);
            });
        }
    }
}

sub plan_token {
    my $name = $option{'token-name'};
    if (!$option{'new-token'} && $user->Id) {
        my $tokens = RT::AuthTokens->new(RT->SystemUser);
        $tokens->LimitOwner(VALUE => $user->Id);
        $tokens->Limit(FIELD => 'Description', VALUE => $name);
        return unchanged("token $name of $option{user}") if $tokens->Count;
    }
    change("token $name of $option{user}: created", sub {
        my ($id, $message);
        ($id, $message, $token) = RT::AuthToken->new(RT->SystemUser)
            ->Create(Owner => $user->Id, Description => $name);
        return ($id, $message);
    });
}

sub find {
    my ($class, $name) = @_;
    my $object = $class->new(RT->SystemUser);
    $object->LoadByCols(Name => $name);
    return $object;
}

sub is_applied {
    my ($field) = @_;
    return 0 unless $field->Id;
    return $field->IsGlobal || ($queue->Id && $field->IsAdded($queue->Id)) ? 1 : 0;
}

sub is_unique {
    my ($field) = @_;
    return $field->_Accessible('UniqueValues', 'read') && $field->UniqueValues;
}

sub has_right {
    my ($right, $object) = @_;
    return $user->PrincipalObj->HasRight(Right => $right, Object => $object);
}

sub unchanged { push @plan, [$_[0]] }

sub change {
    my ($what, $change) = @_;
    push @plan, [$what, sub {
        my ($ok, $message) = $change->();
        stop("Cannot finish at '$what': " . ($message // 'rejected')
            . "\nWhat is listed above was changed. Run this again once the cause is removed") unless $ok;
        return ($message // '') eq 'unchanged' ? 'unchanged' : 'changed';
    }];
}

# Quotes a value as Deno and systemd read it: single quotes take it literally.
sub assignment {
    my ($name, $value) = @_;
    return "$name=$value\n" if $value =~ m{^[\w.:/@+-]*$}a;
    return "$name='$value'\n" unless $value =~ /'/;
    return "$name=\"$value\"\n";
}

sub stop {
    print STDERR "$_[0]\n";
    exit 1;
}
