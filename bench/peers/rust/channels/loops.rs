//! bench/peers/rust/channels/loops.rs - the loops, which each library compiles for itself.

/// Wants Sender, Receiver and `channel`.
macro_rules! loops {
    () => {
        loops!(shared);

        pub const SIZES: Sizes = [
            &one_receiver::<1>(),
            &one_receiver::<8>(),
            &one_receiver::<64>(),
        ];
    };

    (many receivers) => {
        loops!(receivers);

        pub const SIZES: Sizes = [
            &many_receivers::<1>(),
            &many_receivers::<8>(),
            &many_receivers::<64>(),
        ];
    };

    // Wants `recv_select` too.
    (many receivers, select) => {
        loops!(receivers);

        unsafe extern "C" fn send_in_turn<const N: usize>(senders: End, share: *mut Share) {
            let share = &*share;
            let ends = std::slice::from_raw_parts(senders.cast::<End>(), share.channels as usize);
            let mut message = [0; N];
            let mut at = 0;
            for i in 0..share.count as u64 {
                put(&mut message, share.from + i);
                end::<Sender<Message<N>>>(ends[at]).send(message).unwrap();
                at = if at + 1 < ends.len() { at + 1 } else { 0 };
            }
        }

        const fn selecting<const N: usize>() -> Loops {
            Loops {
                send_in_turn: Some(send_in_turn::<N>),
                recv_select: Some(recv_select::<N>),
                ..many_receivers::<N>()
            }
        }

        pub const SIZES: Sizes = [
            &selecting::<1>(),
            &selecting::<8>(),
            &selecting::<64>(),
        ];
    };

    (receivers) => {
        loops!(shared);

        unsafe extern "C" fn clone_receiver<const N: usize>(receiver: End) -> End {
            handed_out(end::<Receiver<Message<N>>>(receiver).clone())
        }

        const fn many_receivers<const N: usize>() -> Loops {
            Loops {
                clone_receiver: Some(clone_receiver::<N>),
                ..one_receiver::<N>()
            }
        }
    };

    (shared) => {
        use super::*;

        unsafe extern "C" fn create<const N: usize>(
            capacity: i64,
            _many: c_int,
            out_sender: *mut End,
            out_receiver: *mut End,
        ) {
            let (sender, receiver) = channel::<Message<N>>(capacity);
            *out_sender = handed_out(sender);
            *out_receiver = handed_out(receiver);
        }

        unsafe extern "C" fn clone_sender<const N: usize>(sender: End) -> End {
            handed_out(end::<Sender<Message<N>>>(sender).clone())
        }

        unsafe extern "C" fn close_sender<const N: usize>(sender: End) {
            drop(taken_back::<Sender<Message<N>>>(sender));
        }

        unsafe extern "C" fn close_receiver<const N: usize>(receiver: End) {
            drop(taken_back::<Receiver<Message<N>>>(receiver));
        }

        // Send and receive.

        unsafe extern "C" fn send<const N: usize>(sender: End, share: *mut Share) {
            let (sender, share) = (end::<Sender<Message<N>>>(sender), &*share);
            let mut message = [0; N];
            for i in 0..share.count as u64 {
                put(&mut message, share.from + i);
                sender.send(message).unwrap();
            }
        }

        unsafe extern "C" fn recv<const N: usize>(receiver: End, share: *mut Share) {
            let (receiver, share) = (end::<Receiver<Message<N>>>(receiver), &mut *share);
            let mut sum = 0u64;
            for _ in 0..share.count {
                sum = sum.wrapping_add(get(&mut receiver.recv().unwrap()));
            }
            share.sum = sum;
            share.done = share.count;
        }

        unsafe extern "C" fn recv_all<const N: usize>(receiver: End, share: *mut Share) {
            let (receiver, share) = (end::<Receiver<Message<N>>>(receiver), &mut *share);
            let (mut sum, mut done) = (0u64, 0);
            while let Ok(mut message) = receiver.recv() {
                sum = sum.wrapping_add(get(&mut message));
                done += 1;
            }
            share.sum = sum;
            share.done = done;
        }

        unsafe extern "C" fn own<const N: usize>(sender: End, receiver: End, share: *mut Share) {
            let sender = end::<Sender<Message<N>>>(sender);
            let (receiver, share) = (end::<Receiver<Message<N>>>(receiver), &mut *share);
            let mut message = [0; N];
            let mut sum = 0u64;
            for i in 0..share.count as u64 {
                put(&mut message, share.from + i);
                sender.send(message).unwrap();
                sum = sum.wrapping_add(get(&mut receiver.recv().unwrap()));
            }
            share.sum = sum;
            share.done = share.count;
        }

        unsafe extern "C" fn pong<const N: usize>(sender: End, receiver: End, share: *mut Share) {
            let sender = end::<Sender<Message<N>>>(sender);
            let (receiver, share) = (end::<Receiver<Message<N>>>(receiver), &mut *share);
            let mut sum = 0u64;
            for _ in 0..share.count {
                let mut message = receiver.recv().unwrap();
                sum = sum.wrapping_add(get(&mut message));
                sender.send(message).unwrap();
            }
            share.sum = sum;
            share.done = share.count;
        }

        // Bursts, work, streams.

        unsafe extern "C" fn send_bursts<const N: usize>(sender: End, share: *mut Share) {
            let (sender, share) = (end::<Sender<Message<N>>>(sender), &mut *share);
            let mut message = [0; N];
            let (mut sum, mut done) = (0u64, 0u64);
            for _ in 0..share.count {
                let begin = (share.now)();
                loop {
                    for _ in 0..BATCH {
                        put(&mut message, done);
                        sum = sum.wrapping_add(done * 2);
                        done += 1;
                        sender.send(message).unwrap();
                    }
                    if (share.now)() - begin >= share.interval {
                        break;
                    }
                }
                put(&mut message, done | LAST);
                sum = sum.wrapping_add((done | LAST).wrapping_mul(2));
                done += 1;
                sender.send(message).unwrap();
                share.clock += begin;
                (share.sleep)(share.pause);
            }
            share.sum = sum;
            share.done = done as i64;
        }

        unsafe extern "C" fn recv_bursts<const N: usize>(receiver: End, share: *mut Share) {
            let (receiver, share) = (end::<Receiver<Message<N>>>(receiver), &mut *share);
            let (mut sum, mut done, mut left) = (0u64, 0, share.count);
            while left > 0 {
                let mut message = receiver.recv().unwrap();
                sum = sum.wrapping_add(get(&mut message));
                done += 1;
                if message[0] & LAST != 0 {
                    share.clock += (share.now)();
                    left -= 1;
                }
            }
            share.sum = sum;
            share.done = done;
        }

        unsafe extern "C" fn recv_slowly<const N: usize>(receiver: End, share: *mut Share) {
            let (receiver, share) = (end::<Receiver<Message<N>>>(receiver), &mut *share);
            let (mut sum, mut random) = (0u64, 1);
            for _ in 0..share.count {
                sum = sum.wrapping_add(get(&mut receiver.recv().unwrap()));
                random = (share.do_work)(random, share.work);
            }
            share.sum = sum;
            share.done = share.count;
        }

        unsafe extern "C" fn send_seldom<const N: usize>(sender: End, share: *mut Share) {
            let (sender, share) = (end::<Sender<Message<N>>>(sender), &*share);
            let mut message = [0; N];
            for i in 0..share.count as u64 {
                (share.sleep)(share.pause);
                put(&mut message, share.from + i);
                sender.send(message).unwrap();
            }
        }

        unsafe extern "C" fn send_stream<const N: usize>(sender: End, share: *mut Share) {
            let (sender, share) = (end::<Sender<Message<N>>>(sender), &mut *share);
            let mut message = [0; N];
            let (mut sum, mut next) = (0u64, (share.now)());
            for _ in 0..share.count {
                let mut now = (share.now)();
                while now < next {
                    now = (share.now)();
                }
                next += share.interval;
                put(&mut message, now as u64);
                sum = sum.wrapping_add(now as u64 * 2);
                sender.send(message).unwrap();
            }
            share.sum = sum;
            share.done = share.count;
        }

        unsafe extern "C" fn recv_stream<const N: usize>(receiver: End, share: *mut Share) {
            let (receiver, share) = (end::<Receiver<Message<N>>>(receiver), &mut *share);
            let mut sum = 0u64;
            for i in 0..share.count as usize {
                let mut message = receiver.recv().unwrap();
                sum = sum.wrapping_add(get(&mut message));
                *share.waits.add(i) = (share.now)() - message[0] as i64;
            }
            share.sum = sum;
            share.done = share.count;
        }

        // Channels.

        unsafe extern "C" fn many<const N: usize>(share: *mut Share) {
            let share = &mut *share;
            let mut ends = Vec::with_capacity(share.channels as usize);
            let before = (share.memory)();
            for _ in 0..share.channels {
                ends.push(channel::<Message<N>>(share.capacity));
            }
            share.bytes = (share.memory)() - before;

            let mut message = [0; N];
            let (mut serial, mut sum) = (share.from, 0u64);
            let begin = (share.cpu_time)();
            for _ in 0..share.count {
                for (sender, _) in &ends {
                    put(&mut message, serial);
                    serial += 1;
                    sender.send(message).unwrap();
                }
                for (_, receiver) in &ends {
                    sum = sum.wrapping_add(get(&mut receiver.recv().unwrap()));
                }
            }
            share.clock = (share.cpu_time)() - begin;
            share.sum = sum;
            share.done = share.count * share.channels;
        }

        unsafe extern "C" fn churn<const N: usize>(share: *mut Share) {
            let share = &*share;
            for _ in 0..share.count {
                drop(channel::<Message<N>>(share.capacity));
            }
        }

        const fn one_receiver<const N: usize>() -> Loops {
            Loops {
                create: Some(create::<N>),
                clone_sender: Some(clone_sender::<N>),
                clone_receiver: None,
                close_sender: Some(close_sender::<N>),
                close_receiver: Some(close_receiver::<N>),
                send: Some(send::<N>),
                recv: Some(recv::<N>),
                recv_all: Some(recv_all::<N>),
                send_batch: None,
                recv_batch: None,
                own: Some(own::<N>),
                own_batch: None,
                ping: Some(own::<N>),
                pong: Some(pong::<N>),
                send_bursts: Some(send_bursts::<N>),
                recv_bursts: Some(recv_bursts::<N>),
                recv_slowly: Some(recv_slowly::<N>),
                send_seldom: Some(send_seldom::<N>),
                send_stream: Some(send_stream::<N>),
                recv_stream: Some(recv_stream::<N>),
                send_in_turn: None,
                recv_select: None,
                many: Some(many::<N>),
                churn: Some(churn::<N>),
            }
        }
    };
}
