//! What file systems and watches have left.

use std::path::Path;

use crate::platform::Space;

/// Returns how much room there is where a path is, or will be.
pub fn free_space(path: &Path) -> Option<Space> {
    let facts = path.ancestors().find_map(|path| nix::sys::statvfs::statvfs(path).ok())?;
    // These numbers have other widths on other systems.
    #[expect(clippy::unnecessary_cast, reason = "see above")]
    Some(Space {
        free_bytes: (facts.blocks_available() as u64).saturating_mul(facts.fragment_size() as u64),
        free_inodes: Some(facts.files_available() as u64),
        total_inodes: facts.files() as u64,
    })
}

/// Names the network file system that a path is on, if it is on one.
#[cfg(target_os = "linux")]
pub fn network_file_system(path: &Path) -> Option<&'static str> {
    // From statfs(2) and <linux/magic.h>.
    const KINDS: &[(i64, &str)] = &[
        (0x6969, "NFS"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x517b, "SMB"),
        (0x0102_1997, "9p"),
        (0x00c3_6400, "Ceph"),
        (0x5346_414f, "AFS"),
        (0x6b41_4653, "AFS"),
        (0x0bd0_0bd0, "Lustre"),
        (0x4750_4653, "GPFS"),
        (0x6573_5546, "FUSE"),
        (0x7375_7245, "Coda"),
        (0x7461_636f, "OCFS2"),
        (0x0116_1970, "GFS2"),
        (0x786f_4256, "a shared folder of VirtualBox"),
    ];
    let facts = path.ancestors().find_map(|path| nix::sys::statfs::statfs(path).ok())?;
    #[expect(clippy::unnecessary_cast, reason = "this number has other widths on other systems")]
    let kind = facts.filesystem_type().0 as i64 & 0xffff_ffff;
    KINDS.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// Not told here.
#[cfg(not(target_os = "linux"))]
pub fn network_file_system(_path: &Path) -> Option<&'static str> {
    None
}

/// Returns how many watch instances and watches a user may have, where there are such limits.
pub fn watch_limits() -> Option<(u64, u64)> {
    let read =
        |name: &str| std::fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?.trim().parse::<u64>().ok();
    Some((read("max_user_instances")?, read("max_user_watches")?))
}
