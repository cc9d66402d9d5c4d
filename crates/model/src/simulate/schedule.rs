//! Which of the things that could happen next does happen: decided by a seed, so that a run can be had again.

/// An order of events.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    seed: u64,
    state: u64,
    last: usize,
}

impl Schedule {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, state: seed, last: 0 }
    }

    /// One of `count` hosts that have something to do. Seed 0 takes them in turn, seed 1 works on one as long as it
    /// has something to do, seed 2 likewise from the other end; any other shuffles.
    pub(super) fn choose(&mut self, busy: &[usize]) -> usize {
        let chosen = match self.seed {
            0 => busy.iter().copied().find(|host| *host > self.last).unwrap_or(busy[0]),
            1 => busy[0],
            2 => busy[busy.len() - 1],
            _ => busy[(self.roll() % busy.len() as u64) as usize],
        };
        self.last = chosen;
        chosen
    }

    /// Whether something that may happen sooner or later happens now.
    pub(super) fn now(&mut self) -> bool {
        self.seed < 3 || self.roll().is_multiple_of(2)
    }

    /// SplitMix64.
    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
