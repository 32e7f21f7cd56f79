//! The control socket of the bridge's `serve`: whatever peers do or do not say, and whatever happens to its path.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};

use serde_json::json;

use crate::harness::{Serve, until};

fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

#[test]
fn peers_that_say_nothing_or_nonsense_are_in_nobodys_way() {
    let serve = Serve::misbehaving(&[], &[]);
    serve.wait_warm(1);
    let mut one = serve.session(&[]);
    let connect = || UnixStream::connect(serve.socket()).unwrap();
    let before = open_files(serve.pid());
    let mut silent: Vec<_> = (0..600).map(|_| connect()).collect();
    let mut two = serve.session(&[]);
    assert!(open_files(serve.pid()) < before + 200, "{} files are open", open_files(serve.pid()));
    for noise in [&b"hello\n"[..], b"terminate\n", b"session\nsession\n", b"accepted 1 1\n", &[b'x'; 999]] {
        let mut peer = connect();
        peer.write_all(noise).unwrap();
        assert!(peer.read(&mut [0]).map_or(true, |it| it == 0), "{noise:?}");
    }
    for session in [&mut one, &mut two] {
        session.tool("pid", &json!({}));
    }
    assert_eq!(serve.health().unwrap()["sessions"], 2);
    // All of them are closed in their time.
    silent.retain_mut(|it| !it.read(&mut [0]).is_ok_and(|it| it == 0));
    assert!(silent.is_empty());
    drop((one, two));
    serve.wait_clean();
    serve.stop();
}

#[test]
fn the_socket_comes_back_when_it_is_deleted_or_replaced() {
    let serve = Serve::misbehaving(&[], &[]);
    serve.wait_warm(1);
    let mut one = serve.session(&[]);
    for is_replaced in [false, true] {
        std::fs::remove_file(serve.socket()).unwrap();
        if is_replaced {
            drop(UnixListener::bind(serve.socket()).unwrap()); // as a `serve` that was killed leaves it
        }
        assert!(serve.health().is_none());
        until("the socket", || serve.health());
        let mut two = serve.session(&[]);
        two.tool("pid", &json!({}));
        one.tool("pid", &json!({}));
        assert_eq!(serve.health().unwrap()["sessions"], 2);
        two.close();
        until("its end", || (serve.health()?["sessions"] == 1).then_some(()));
    }
    one.close();
    serve.wait_clean();
    serve.stop();
}
