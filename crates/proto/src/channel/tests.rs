use bytes::Bytes;
use proptest::prelude::*;

use super::*;

const START: Tick = Tick::from_millis(1_795_587_061_027);
const IDLE: Duration = Duration::from_secs(180);
const BIG: Size = Size {
    rows: 43,
    cols: 132,
};

fn opening(target: TargetKind, granted: Extensions) -> Opening {
    Opening {
        target,
        size: None,
        granted,
        speed_bits: 0,
        idle_timeout: IDLE,
        any_frame_counts: false,
    }
}

fn shell() -> Channel {
    Channel::new(&opening(TargetKind::Terminal, Extensions::NONE), START)
}

fn open_port(granted: Extensions) -> Channel {
    let mut port = Channel::new(&opening(TargetKind::Port, granted), START);
    port.opened();
    actions(&mut port);
    port
}

fn open_shell(granted: Extensions) -> Channel {
    let mut shell = Channel::new(&opening(TargetKind::Terminal, granted), START);
    shell.settled();
    shell.opened();
    actions(&mut shell);
    shell
}

fn actions(channel: &mut Channel) -> Vec<Action> {
    std::iter::from_fn(|| channel.next_action()).collect()
}

fn input(bytes: &'static [u8]) -> Message {
    Message::Input(Bytes::from_static(bytes))
}

#[test]
fn a_break_behind_output_that_is_held_up_is_told_by_the_report_alone() {
    let mut port = open_port(Extensions::ALL);

    port.broken_unnoticed();

    let done = [Action::ResetTarget, Action::Report(End::Broken)];
    assert_eq!(actions(&mut port), done);
}

#[test]
fn a_break_after_the_outputs_end_is_told_in_its_order() {
    let mut port = open_port(Extensions::ALL);
    port.output_ended();
    assert_eq!(actions(&mut port), [Action::Send(Message::Eof)]);

    port.broken_unnoticed();

    let done = [Action::Send(Message::Reset), Action::Report(End::Broken)];
    assert_eq!(actions(&mut port), done);
}

#[test]
fn a_size_that_was_told_beforehand_opens_the_shell_at_once() {
    let opening = Opening {
        size: Some(BIG),
        ..opening(TargetKind::Terminal, Extensions::ALL)
    };

    let mut shell = Channel::new(&opening, START);

    assert_eq!(actions(&mut shell), [Action::Open(BIG)]);
}

#[test]
fn a_size_before_the_start_is_what_the_shell_starts_with() {
    let mut shell = shell();
    assert_eq!(actions(&mut shell), [Action::Settle]);

    shell.received(START, &Message::Resize(BIG));
    shell.settled();

    assert_eq!(actions(&mut shell), [Action::Open(BIG)]);
}

#[test]
fn a_size_during_the_start_is_told_right_after_it() {
    let mut shell = shell();
    shell.settled();
    actions(&mut shell);

    shell.received(START, &Message::Resize(BIG));
    assert_eq!(actions(&mut shell), []);
    shell.opened();

    assert_eq!(actions(&mut shell), [Action::Resize(BIG)]);
}

#[test]
fn input_before_the_target_is_open_is_kept_and_starts_it() {
    let mut shell = shell();
    actions(&mut shell);

    assert_eq!(shell.received(START, &input(b"ls\r")), Fate::Keep);
    assert_eq!(actions(&mut shell), [Action::Open(Size::default())]);
    shell.opened();

    assert_eq!(shell.received(START, &input(b"x")), Fate::Deliver);
}

#[test]
fn the_link_is_not_read_while_much_is_kept() {
    let mut port = Channel::new(&opening(TargetKind::Port, Extensions::NONE), START);
    let much = Message::Input(vec![0; KEEP_MAX].into());

    assert!(port.is_listening());
    port.received(START, &much);
    assert!(!port.is_listening());
    port.opened();

    assert!(port.is_listening());
}

#[test]
fn a_shell_that_exits_is_drained_then_reported_then_closed() {
    let mut shell = open_shell(Extensions::ALL);

    shell.exited(7);
    assert_eq!(actions(&mut shell), []);
    shell.output_ended();
    assert_eq!(
        actions(&mut shell),
        [
            Action::Send(Message::Exit(7)),
            Action::Report(End::Exited(7))
        ]
    );
    shell.reported();

    assert_eq!(actions(&mut shell), [Action::Close]);
}

#[test]
fn a_shell_may_close_its_output_and_live_on() {
    let mut shell = open_shell(Extensions::NONE);

    shell.output_ended();
    assert_eq!(actions(&mut shell), []);
    shell.exited(0);

    assert_eq!(actions(&mut shell), [Action::Report(End::Exited(0))]);
}

#[test]
fn a_port_ends_with_its_output_where_nobody_knows_half_an_end() {
    let mut port = open_port(Extensions::NONE);

    port.output_ended();

    assert_eq!(actions(&mut port), [Action::Report(End::Done)]);
}

#[test]
fn a_port_ends_when_both_directions_have() {
    let mut target_first = open_port(Extensions::ALL);
    target_first.output_ended();
    assert_eq!(actions(&mut target_first), [Action::Send(Message::Eof)]);
    target_first.received(START, &Message::Eof);
    assert_eq!(actions(&mut target_first), [Action::FinishInput]);
    // Not before the target has had all of it.
    target_first.input_finished();
    assert_eq!(actions(&mut target_first), [Action::Report(End::Done)]);

    let mut client_first = open_port(Extensions::ALL);
    client_first.received(START, &Message::Eof);
    assert_eq!(actions(&mut client_first), [Action::FinishInput]);
    client_first.input_finished();
    client_first.output_ended();
    assert_eq!(actions(&mut client_first), [Action::Report(End::Done)]);
}

#[test]
fn a_target_that_takes_no_input_is_broken_once_its_output_is_sent() {
    let mut output_last = open_port(Extensions::ALL);
    output_last.input_broken();
    assert_eq!(actions(&mut output_last), []);
    output_last.output_ended();
    let broken = [Action::Send(Message::Reset), Action::Report(End::Broken)];
    assert_eq!(actions(&mut output_last), broken);

    let mut output_first = open_port(Extensions::ALL);
    output_first.output_ended();
    assert_eq!(actions(&mut output_first), [Action::Send(Message::Eof)]);
    output_first.input_broken();
    assert_eq!(actions(&mut output_first), broken);
}

#[test]
fn a_stop_is_a_cut_where_half_closes_are_granted_and_the_clients_last_word_where_not() {
    let mut knows = open_port(Extensions::ALL);
    knows.stop();
    assert_eq!(
        actions(&mut knows),
        [Action::ResetTarget, Action::Report(End::Stopped)]
    );

    let mut official = open_port(Extensions::NONE);
    official.stop();
    assert_eq!(actions(&mut official), [Action::Drain]);
    assert_eq!(official.received(START, &input(b"late")), Fate::Deliver);
    official.drained();
    assert_eq!(
        actions(&mut official),
        [Action::StopTarget, Action::Report(End::Stopped)]
    );
}

#[test]
fn resets_travel_both_ways_where_granted() {
    let mut from_target = open_port(Extensions::ALL);
    from_target.broken();
    assert_eq!(
        actions(&mut from_target),
        [Action::Send(Message::Reset), Action::Report(End::Broken)]
    );

    let mut from_client = open_port(Extensions::ALL);
    from_client.received(START, &Message::Reset);
    assert_eq!(
        actions(&mut from_client),
        [Action::ResetTarget, Action::Report(End::Done)]
    );
}

#[test]
fn a_lost_link_is_dialled_again_and_the_shell_goes_on() {
    let mut shell = open_shell(Extensions::NONE);

    shell.link_lost();
    shell.link_lost();
    assert_eq!(actions(&mut shell), [Action::Redial]);
    assert!(!shell.is_listening());
    shell.link_up();
    assert!(shell.is_listening());

    shell.link_lost();
    shell.link_given_up();
    assert_eq!(
        actions(&mut shell),
        [Action::StopTarget, Action::Report(End::TimedOut)]
    );
}

#[test]
fn the_idle_timeout_is_a_second_longer_than_the_relays_and_only_data_moves_it() {
    let mut shell = open_shell(Extensions::NONE);
    let relays = START + IDLE;
    assert_eq!(shell.deadline(), Some(relays + IDLE_MARGIN));

    shell.received(relays, &Message::Resize(BIG));
    shell.received(relays, &Message::Status(Status::KeepAlive));
    shell.received(relays, &input(b""));
    assert_eq!(shell.deadline(), Some(relays + IDLE_MARGIN));
    shell.output(relays, 1);
    actions(&mut shell);
    shell.tick(relays + IDLE);
    assert_eq!(actions(&mut shell), []);
    shell.tick(relays + IDLE + IDLE_MARGIN);

    assert_eq!(
        actions(&mut shell),
        [Action::StopTarget, Action::Report(End::TimedOut)]
    );
    assert_eq!(shell.deadline(), None);
}

#[test]
fn any_frame_of_a_relay_that_is_not_ours_moves_the_idle_timeout() {
    let mut opening = opening(TargetKind::Terminal, Extensions::NONE);
    opening.any_frame_counts = true;
    let mut shell = Channel::new(&opening, START);
    let frames = [
        Message::Status(Status::KeepAlive),
        Message::Resize(BIG),
        Message::Close,
        Message::Other {
            kind: 9,
            payload: Bytes::from_static(b"?"),
        },
    ];

    let mut now = START;
    for frame in frames {
        now = now + IDLE;
        shell.received(now, &frame);
        assert_eq!(shell.deadline(), Some(now + IDLE + IDLE_MARGIN));
    }
}

#[test]
fn the_told_speed_meters_the_output_and_told_again_gives_nothing_away() {
    let mut shell = open_shell(Extensions::NONE);
    shell.received(START, &Message::Status(Status::Speed(16_384)));
    let burst = shell.largest_output();
    assert_eq!(shell.output(START, burst), Verdict::Forward);

    shell.received(START, &Message::Status(Status::Speed(16_384)));
    assert!(matches!(shell.output(START, 2_048), Verdict::WaitUntil(_)));

    shell.received(
        START,
        &Message::Status(Status::Speed(Limits::MAX_SPEED_BITS)),
    );
    assert_eq!(shell.output(START, 1_000_000), Verdict::Forward);
}

#[derive(Clone, Debug)]
enum Step {
    Received(Message),
    Garbage,
    Settled,
    Opened,
    NotOpened,
    Output(usize),
    OutputEnded,
    InputFinished,
    InputBroken,
    Drained,
    Exited(i32),
    Broken,
    Stop,
    Wait(u64),
    Lost,
    Up,
    GivenUp,
    Reported,
}

fn any_step() -> impl Strategy<Value = Step> {
    let message = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20_000)
            .prop_map(|data| Message::Input(data.into())),
        (0..50_u16, 0..200_u16).prop_map(|(rows, cols)| Message::Resize(Size { rows, cols })),
        any::<u32>().prop_map(|bits| Message::Status(Status::Speed(bits))),
        Just(Message::Status(Status::KeepAlive)),
        Just(Message::Eof),
        Just(Message::Reset),
        Just(Message::Alive),
        Just(Message::Close),
        Just(Message::Output(Bytes::from_static(b"odd"))),
    ];
    prop_oneof![
        8 => message.prop_map(Step::Received),
        1 => Just(Step::Garbage),
        2 => Just(Step::Settled),
        3 => Just(Step::Opened),
        1 => Just(Step::NotOpened),
        4 => (0..8_192_usize).prop_map(Step::Output),
        1 => Just(Step::OutputEnded),
        1 => Just(Step::InputFinished),
        1 => Just(Step::InputBroken),
        1 => Just(Step::Drained),
        1 => any::<i32>().prop_map(Step::Exited),
        1 => Just(Step::Broken),
        1 => Just(Step::Stop),
        2 => (0..200_000_u64).prop_map(Step::Wait),
        2 => Just(Step::Lost),
        2 => Just(Step::Up),
        1 => Just(Step::GivenUp),
        1 => Just(Step::Reported),
    ]
}

fn any_opening() -> impl Strategy<Value = Opening> {
    let target = prop_oneof![
        Just(TargetKind::Terminal),
        Just(TargetKind::Pipes),
        Just(TargetKind::Port)
    ];
    (target, any::<[bool; 5]>(), any::<bool>()).prop_map(
        |(target, [exit, eof, reset, pipe, alive], is_sized)| Opening {
            target,
            size: is_sized.then_some(BIG),
            granted: Extensions {
                exit,
                eof,
                reset,
                pipe,
                alive,
            },
            speed_bits: 0,
            idle_timeout: IDLE,
            any_frame_counts: false,
        },
    )
}

/// What a runner would see, whose promises it checks.
#[derive(Default)]
struct Watcher {
    last_size: Option<Size>,
    told_size: Option<Size>,
    opens: usize,
    is_open: bool,
    reports: usize,
    closes: usize,
}

impl Watcher {
    fn see(&mut self, action: &Action, opening: &Opening) {
        assert_eq!(self.closes, 0, "nothing comes after the close");
        if self.reports > 0 {
            assert_eq!(
                *action,
                Action::Close,
                "nothing but the close comes after the report"
            );
        }
        match action {
            Action::Settle => assert_eq!(self.opens, 0),
            Action::Open(size) => {
                self.opens += 1;
                self.told_size = Some(*size);
                assert_eq!(*size, self.last_size.or(opening.size).unwrap_or_default());
            }
            Action::Resize(size) => {
                assert!(self.is_open);
                assert_eq!(Some(*size), self.last_size);
                self.told_size = Some(*size);
            }
            Action::FinishInput => assert!(self.is_open && opening.granted.eof),
            Action::ResetTarget => assert!(opening.granted.reset || opening.granted.eof),
            Action::Drain => assert!(self.is_open && !opening.granted.eof),
            Action::Send(Message::Exit(_)) => assert!(opening.granted.exit),
            Action::Send(Message::Eof) => assert!(opening.granted.eof),
            Action::Send(Message::Reset) => assert!(opening.granted.reset),
            Action::Send(other) => panic!("{other:?} is not the agent's to send"),
            Action::StopTarget | Action::Redial => {}
            Action::Report(_) => self.reports += 1,
            Action::Close => {
                assert_eq!(self.reports, 1);
                self.closes += 1;
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_promises_to_the_runner_hold(
        opening in any_opening(),
        steps in proptest::collection::vec(any_step(), 0..60),
    ) {
        let mut channel = Channel::new(&opening, START);
        let mut watcher = Watcher::default();
        let mut now = START;
        for action in actions(&mut channel) {
            watcher.see(&action, &opening);
        }

        for step in steps {
            let was_over = channel.is_over();
            match step {
                Step::Received(message) => {
                    if let Message::Resize(size) = message
                        && !was_over
                        && opening.target == TargetKind::Terminal
                    {
                        watcher.last_size = Some(size);
                    }
                    let fate = channel.received(now, &message);
                    prop_assert!(fate != Fate::Deliver || (watcher.is_open && !was_over));
                    prop_assert!(fate != Fate::Keep || !watcher.is_open);
                    prop_assert!(fate == Fate::Drop || matches!(message, Message::Input(_)));
                }
                Step::Garbage => channel.received_garbage(),
                Step::Settled => channel.settled(),
                Step::Opened => {
                    watcher.is_open |= watcher.opens > 0;
                    channel.opened();
                }
                Step::NotOpened => channel.not_opened(),
                Step::Output(len) => {
                    channel.output(now, len.min(channel.largest_output()));
                }
                Step::OutputEnded => channel.output_ended(),
                Step::InputFinished => channel.input_finished(),
                Step::InputBroken => channel.input_broken(),
                Step::Drained => channel.drained(),
                Step::Exited(status) => channel.exited(status),
                Step::Broken => channel.broken(),
                Step::Stop => channel.stop(),
                Step::Wait(millis) => {
                    now = now + Duration::from_millis(millis);
                    channel.tick(now);
                    prop_assert!(channel.deadline().is_none_or(|deadline| deadline > now));
                }
                Step::Lost => channel.link_lost(),
                Step::Up => channel.link_up(),
                Step::GivenUp => channel.link_given_up(),
                Step::Reported => channel.reported(),
            }
            for action in actions(&mut channel) {
                watcher.see(&action, &opening);
            }
            prop_assert_eq!(channel.is_over(), watcher.reports == 1);
            prop_assert!(!was_over || channel.is_over());
        }

        prop_assert!(watcher.opens <= 1);
        channel.stop();
        channel.drained();
        channel.reported();
        for action in actions(&mut channel) {
            watcher.see(&action, &opening);
        }
        prop_assert_eq!((watcher.reports, watcher.closes), (1, 1));
    }
}
