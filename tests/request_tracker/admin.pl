#!/usr/bin/perl
# Changes a running Request Tracker as its administrator would: admin.pl OPERATION [VALUE]. It uses RT's
# own classes in a separate process. The server's workers see the change with their next request, because
# RT clears its caches of records and rights after each one.
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
    my ($change, $right) = @_;
    my $bot = load('RT::User', 'desk-bot')->PrincipalObj;
    my ($ok, $message);
    for my $queue ('Support', 'Escalated') {
        ($ok, $message) = $bot->$change(Right => $right, Object => load('RT::Queue', $queue));
        last unless $ok;
    }
    return ($ok, $message);
}

# Half of what Deskhand needs, as an interrupted set-up may leave it.
sub half_set_up {
    my $queue = create('RT::Queue', Name => 'Half');
    my $field = create('RT::CustomField', Name => 'HalfRef', Type => 'Freeform', MaxValues => 1,
        LookupType => 'RT::Queue-RT::Ticket', UniqueValues => 1);
    my $user = create('RT::User', Name => 'half-bot');
    $user->PrincipalObj->GrantRight(Right => 'CreateTicket', Object => $queue);
    $_->SetDisabled(1) for $queue, $field, $user;
    return 1;
}

# Custom fields that cannot hold a reference.
sub create_misfits {
    my %ticket = (LookupType => 'RT::Queue-RT::Ticket');
    create('RT::CustomField', Name => 'Several', Type => 'Freeform', MaxValues => 0, %ticket);
    create('RT::CustomField', Name => 'Choice', Type => 'Select', MaxValues => 1, %ticket);
    create('RT::CustomField', Name => 'Digits', Type => 'Freeform', MaxValues => 1,
        Pattern => '^\d+$', %ticket);
    return 1;
}

sub create {
    my ($class, %fields) = @_;
    my $object = $class->new(RT->SystemUser);
    my ($id, $message) = $object->Create(%fields);
    die "Cannot create $class: $message\n" unless $id;
    return $object;
}

sub close_tickets {
    my $tickets = RT::Tickets->new(RT->SystemUser);
    $tickets->FromSQL("Queue = 'Fresh'");
    while (my $ticket = $tickets->Next) {
        my ($ok, $message) = $ticket->SetQueue('Closed');
        return ($ok, $message) unless $ok;
    }
    return 1;
}

my %operations = (
    'half-set-up' => \&half_set_up,
    'create-misfits' => \&create_misfits,
    'close-tickets' => \&close_tickets,
    'revoke-token' => \&revoke_token,
    'disable-user' => sub { load('RT::User', 'desk-bot')->SetDisabled(1) },
    'enable-user' => sub { load('RT::User', 'desk-bot')->SetDisabled(0) },
    'set-time-zone' => sub { load('RT::User', 'desk-bot')->SetTimezone($_[0]) },
    'disable-queue' => sub { load('RT::Queue', 'Support')->SetDisabled(1) },
    'enable-queue' => sub { load('RT::Queue', 'Support')->SetDisabled(0) },
    'revoke-right' => sub { change_right('RevokeRight', $_[0]) },
    'grant-right' => sub { change_right('GrantRight', $_[0]) },
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
die "Cannot $operation: " . ($message // 'rejected') . "\n" unless $ok;
