//! How many hosts switch together.

use crate::config::WaveSize;

/// The sizes of the waves. The last takes all that are left.
pub(super) fn split_into_waves(waves: &[WaveSize], hosts: usize) -> Vec<usize> {
    let mut left = hosts;
    let mut sizes = Vec::new();
    for wave in waves {
        let wanted = match wave {
            WaveSize::Hosts(count) => *count as usize,
            WaveSize::Percent(percent) => (hosts * *percent as usize).div_ceil(100),
        };
        let size = wanted.clamp(1, left.max(1)).min(left);
        if size > 0 {
            sizes.push(size);
            left -= size;
        }
    }
    if left > 0 {
        sizes.push(left);
    }
    sizes
}
