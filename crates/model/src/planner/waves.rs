//! How many hosts switch together.

use crate::config::{RolloutSettings, WaveSize};

/// The sizes of the waves. The last takes all that are left, unless they go by batches.
pub(super) fn split_into_waves(rollout: &RolloutSettings, hosts: usize) -> Vec<usize> {
    let size_of = |wave: WaveSize| match wave {
        WaveSize::Hosts(count) => count as usize,
        WaveSize::Percent(percent) => (hosts * percent as usize).div_ceil(100),
    };
    let named = rollout.waves.iter().copied().map(size_of);
    let rest = std::iter::repeat(rollout.batch.map_or(hosts, size_of));
    let mut left = hosts;
    let sizes = named.chain(rest).map_while(|wanted| {
        let size = wanted.clamp(1, left.max(1)).min(left);
        left -= size;
        (size > 0).then_some(size)
    });
    sizes.collect()
}
