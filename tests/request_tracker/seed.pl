#!/usr/bin/perl
# Fills an empty Request Tracker and prints desk-bot's token:
#   queues Support (custom field SupportRef), Escalated (no field) and Closed (no rights for anyone)
#   users  desk-bot (token) and agent (web login, password in RT_AGENT_PASSWORD)
use strict;
use warnings;
use lib '/usr/local/share/request-tracker5/lib', '/usr/share/request-tracker5/lib';
use RT;
RT::LoadConfig();
RT::Init();

sub create {
    my ($class, %fields) = @_;
    my $object = $class->new(RT->SystemUser);
    my ($id, $message) = $object->Create(%fields);
    die "Cannot create $class: $message\n" unless $id;
    return $object;
}

sub grant {
    my ($user, $queue, @rights) = @_;
    for my $right (@rights) {
        my ($ok, $message) = $user->PrincipalObj->GrantRight(Right => $right, Object => $queue);
        die "Cannot grant $right: $message\n" unless $ok;
    }
}

my $support = create('RT::Queue', Name => 'Support');
my $escalated = create('RT::Queue', Name => 'Escalated');
create('RT::Queue', Name => 'Closed');

my $field = create('RT::CustomField', Name => 'SupportRef', Type => 'Freeform', MaxValues => 1,
    LookupType => 'RT::Queue-RT::Ticket');
my ($applied, $problem) = $field->AddToObject($support);
die "Cannot apply the custom field: $problem\n" unless $applied;

my $bot = create('RT::User', Name => 'desk-bot', Privileged => 1);
my $agent = create('RT::User', Name => 'agent', Privileged => 1,
    Password => $ENV{RT_AGENT_PASSWORD});
for my $queue ($support, $escalated) {
    my @rights = qw(SeeQueue ShowTicket CreateTicket ReplyToTicket CommentOnTicket ModifyTicket
        ShowTicketComments SeeCustomField ModifyCustomField);
    grant($bot, $queue, @rights);
    grant($agent, $queue, @rights, qw(OwnTicket TakeTicket));
}

# Notifications are disabled unless a test needs them: without these scrips, a new ticket causes no mail.
my $scrips = RT::Scrips->new(RT->SystemUser);
$scrips->UnLimit;
while (my $scrip = !$ENV{RT_SENDS_MAIL} && $scrips->Next) {
    $scrip->SetDisabled(1) if $scrip->ActionObj->ExecModule =~ /^(Notify|Autoreply|SendEmail)/;
}

my ($id, $message, $token) = RT::AuthToken->new(RT->SystemUser)
    ->Create(Owner => $bot->Id, Description => 'Deskhand');
die "Cannot create a token: $message\n" unless $id;
print "$token\n";
