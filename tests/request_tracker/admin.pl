#!/usr/bin/perl
# Changes a running Request Tracker the way its administrator would: admin.pl OPERATION [VALUE].
# It goes through RT's own classes, in a process of its own; the server's workers see the change with
# their next request, because RT empties its caches of records and rights after each one.
use strict;
use warnings;
use lib '/usr/local/share/request-tracker5/lib', '/usr/share/request-tracker5/lib';
use RT;
RT::LoadConfig();
RT::Init();

sub load {
    my ($class, $name) = @_;
    my $object = $class->new(RT->SystemUser);
    $object->Load($name);
    die "Cannot find $name\n" unless $object->Id;
    return $object;
}

sub revoke_token {
    my $tokens = RT::AuthTokens->new(RT->SystemUser);
    $tokens->LimitOwner(VALUE => load('RT::User', 'desk-bot')->Id);
    return $tokens->First->Delete;
}

sub change_right {
    my ($change) = @_;
    my $bot = load('RT::User', 'desk-bot')->PrincipalObj;
    my ($ok, $message);
    for my $queue ('Support', 'Escalated') {
        ($ok, $message) = $bot->$change(Right => 'ShowTicket', Object => load('RT::Queue', $queue));
        last unless $ok;
    }
    return ($ok, $message);
}

my %operations = (
    'revoke-token' => \&revoke_token,
    'disable-user' => sub { load('RT::User', 'desk-bot')->SetDisabled(1) },
    'enable-user' => sub { load('RT::User', 'desk-bot')->SetDisabled(0) },
    'set-time-zone' => sub { load('RT::User', 'desk-bot')->SetTimezone($_[0]) },
    'disable-queue' => sub { load('RT::Queue', 'Support')->SetDisabled(1) },
    'enable-queue' => sub { load('RT::Queue', 'Support')->SetDisabled(0) },
    'hide-tickets' => sub { change_right('RevokeRight') },
    'show-tickets' => sub { change_right('GrantRight') },
    'drop-field' => sub {
        load('RT::CustomField', 'SupportRef')->RemoveFromObject(load('RT::Queue', 'Support'));
    },
    'restore-field' => sub {
        load('RT::CustomField', 'SupportRef')->AddToObject(load('RT::Queue', 'Support'));
    },
);

my $operation = shift // '';
my $run = $operations{$operation} or die "Unknown operation '$operation'\n";
my ($ok, $message) = $run->(@ARGV);
die "Cannot $operation: " . ($message // 'refused') . "\n" unless $ok;
