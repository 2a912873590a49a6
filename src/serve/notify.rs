//! Word to the service manager: ready, reloading, stopping.
//!
//! Source: sd_notify(3).

use std::os::unix::net::UnixDatagram;

/// Where the service manager listens, from `NOTIFY_SOCKET`; nothing is said without.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager(Option<String>);

impl ServiceManager {
    /// The manager behind this address.
    #[must_use]
    pub fn at(address: Option<&str>) -> ServiceManager {
        ServiceManager(
            address
                .filter(|address| !address.is_empty())
                .map(str::to_owned),
        )
    }

    /// Says it, best effort: a manager that does not listen must not stop a server.
    pub fn say(&self, state: &str) {
        let Some(address) = &self.0 else {
            return;
        };
        let Ok(socket) = UnixDatagram::unbound() else {
            return;
        };
        let _ = match address.strip_prefix('@') {
            #[cfg(target_os = "linux")]
            Some(name) => {
                use std::os::linux::net::SocketAddrExt as _;
                use std::os::unix::net::SocketAddr;
                SocketAddr::from_abstract_name(name.as_bytes())
                    .and_then(|address| socket.send_to_addr(state.as_bytes(), &address))
            }
            _ => socket.send_to(state.as_bytes(), address),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_arrives() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("notify");
        let manager = UnixDatagram::bind(&place).unwrap();
        ServiceManager::at(place.to_str()).say("READY=1");
        let mut room = [0; 64];
        let count = manager.recv(&mut room).unwrap();
        assert_eq!(&room[..count], b"READY=1");
        ServiceManager::at(None).say("READY=1");
        ServiceManager::at(Some("/nowhere")).say("READY=1");
    }
}
