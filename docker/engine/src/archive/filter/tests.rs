//! Hostile archives, one for each rule, made header by header.

use tar::Header;

use super::super::ROOT;
use super::super::raw::*;
use super::*;

const RULES: Rules<'_> = Rules {
    strip: "out",
    places: &["app", "usr/lib"],
    below: "",
    owner: ROOT,
    max_bytes: 1000,
    max_entries: 100,
};

/// What comes out, an entry a line, or why nothing does.
fn filtered(entries: &[Raw<'_>], rules: &Rules<'_>) -> Result<String, String> {
    let mut out = Vec::new();
    filter(archive(entries).as_slice(), &mut out, rules).map_err(|it| format!("{it:#}"))?;
    let mut shown = String::new();
    reader::each(out.as_slice(), |it| {
        let text = |bytes: &[u8]| escape_line(&String::from_utf8_lossy(bytes));
        let kind = match it.kind {
            EntryType::Directory => "folder",
            EntryType::Symlink => "symlink",
            EntryType::Link => "link",
            _ => "file",
        };
        let mut content = String::new();
        it.content.read_to_string(&mut content).unwrap();
        shown.push_str(&format!("{kind} {:o} {} {}{content}\n", it.mode, text(&it.path), text(&it.target)));
        Ok(())
    })
    .unwrap();
    Ok(shown.replace(" \n", "\n"))
}

fn refused(entries: &[Raw<'_>], expected: &str) {
    let found = filtered(entries, &RULES).unwrap_err();
    assert!(found.contains(expected), "{expected}: {found}");
}

#[test]
fn what_a_good_build_leaves_goes_on() {
    let long = format!("out/app/{}", "long/".repeat(24));
    let record = record("path", format!("{long}é\n9 path=x").as_bytes());
    let entries = [
        folder("out/"),
        folder("out/app/"),
        file("out/app/it"),
        Raw { mode: 0o1701, path: b"out/app/run", ..FILE },
        symlink("out/app/link", "./it"),
        symlink("out/app/absolute", "/usr/lib/x.so"),
        link(b'1', "out/app/hard", "./out/app/run"),
        extension(b'x', &record),
        file("cut/off"),
        folder("out/usr/"),
        file("out/usr/lib/x.so"),
    ];
    let found = filtered(&entries, &RULES).unwrap();
    let long = &long["out/".len()..];
    let folders: String = paths::ancestors(long.as_bytes())
        .skip(1)
        .map(|it| format!("folder 755 {}/\n", String::from_utf8_lossy(it)))
        .collect();
    let expected = format!(
        "folder 755 app/\nfile 644 app/it abc\nfile 755 app/run abc\nsymlink 777 app/link ./it\n\
         symlink 777 app/absolute /usr/lib/x.so\nlink 644 app/hard app/run\n{folders}\
         file 644 {long}é\\n9 path=x abc\nfolder 755 usr/\nfolder 755 usr/lib/\nfile 644 usr/lib/x.so abc\n"
    );
    assert_eq!(found, expected);
}

#[test]
fn owner_and_time_are_ours_whatever_they_were() {
    let mut out = Vec::new();
    let entries = archive(&[file("out/app/it")]);
    let contents = filter(entries.as_slice(), &mut out, &RULES).unwrap();
    let header = Header::from_byte_slice(&out[512..1024]);
    assert_eq!(header.path_bytes().as_ref(), b"app/it");
    assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, 1));
    assert_eq!((contents.bytes, contents.entries()), (3, 3), "the top, app and it");
    assert_eq!(contents.kind("app/it"), Some(Kind::File));
    assert_eq!((contents.kind("app"), contents.kind("it")), (Some(Kind::Folder), None));
}

#[test]
fn attributes_are_left_behind() {
    let record = record("SCHILY.xattr.user.x", b"y\n");
    let found = filtered(&[extension(b'x', &record), file("out/app/it")], &RULES).unwrap();
    assert_eq!(found, "folder 755 app/\nfile 644 app/it abc\n");
}

#[test]
fn it_goes_below_where_it_is_put() {
    let entries =
        [folder("app"), file("app/it"), link(b'1', "app/hard", "app/it"), symlink("app/link", "it")];
    let rules = Rules { strip: "", places: &[""], below: "work/x", ..RULES };
    let expected = "folder 755 work/\nfolder 755 work/x/\nfolder 755 work/x/app/\nfile 644 work/x/app/it abc\n\
                    link 644 work/x/app/hard work/x/app/it\nsymlink 777 work/x/app/link it\n";
    assert_eq!(filtered(&entries, &rules).unwrap(), expected);
    // One file, under another name.
    let rules = Rules { strip: "uv", places: &[""], below: "work/bin/it", ..RULES };
    let expected = "folder 755 work/\nfolder 755 work/bin/\nfile 644 work/bin/it abc\n";
    assert_eq!(filtered(&[file("uv")], &rules).unwrap(), expected);
    let top = Rules { below: "", ..rules };
    for it in [file("uv"), symlink("uv", "x")] {
        assert!(filtered(&[it], &top).unwrap_err().contains("it is no folder"));
    }
}

#[test]
fn what_came_out_is_let_through_again_as_it_is() {
    let entries = [file("out/app/a"), symlink("out/app/b", "a"), link(b'1', "out/app/c", "out/app/a")];
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    let first = filter(archive(&entries).as_slice(), &mut once, &RULES).unwrap();
    let second = filter(once.as_slice(), &mut twice, &Rules { strip: "", ..RULES }).unwrap();
    assert_eq!((once, first), (twice, second));
}

#[test]
fn nothing_stands_elsewhere() {
    let outside = "it is outside of what a build may leave (app, usr/lib)";
    for name in ["out/mcp", "out/etc/mcp/bridge.json", "out/application/x", "out/usr/bin/node", "out/usr"] {
        refused(&[file(name)], outside);
    }
    refused(&[folder("out/etc/")], outside);
    refused(&[symlink("out/usr", "app")], outside);
    refused(&[file("app/it")], "app/it: it is not in `out`");
    refused(&[file("outer/app/it")], "it is not in `out`");
}

#[test]
fn paths_do_not_leave() {
    refused(&[file("/out/app/it")], "its path is absolute");
    refused(&[file("out/app/../../etc/passwd")], "its path holds `..`");
    refused(&[extension(b'x', &record("path", b"out/app/a\0b")), FILE], "its path holds a NUL");
    refused(&[extension(b'x', &record("path", &b"out/app/".repeat(600))), FILE], "its path is too long");
    refused(&[extension(b'L', b"/etc/passwd\0"), FILE], "/etc/passwd: its path is absolute");
    refused(&[extension(b'x', &record("path", b"/etc/\x1b[31m")), FILE], "/etc/\\u{1b}[31m: its path");
}

#[test]
fn links_stay_inside() {
    for target in [
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        "/",
        "../mcp",
        "/work/out/app/it",
        "../../../x",
        "/usr/library",
    ] {
        refused(&[symlink("out/app/link", target)], "leads out");
    }
    for target in ["it/../../etc", "/app/../etc", "a/.."] {
        refused(&[symlink("out/app/link", target)], "`..` behind a name");
    }
    refused(&[symlink("out/app/link", "")], "leads nowhere");
    refused(
        &[extension(b'K', b"/etc/passwd\0"), symlink("out/app/link", "it")],
        "leads out (to /etc/passwd)",
    );
    let record = record("linkpath", b"/etc/passwd");
    refused(&[extension(b'x', &record), symlink("out/app/link", "it")], "leads out (to /etc/passwd)");
}

#[test]
fn nothing_goes_through_a_link() {
    let link = || symlink("out/app/link", "/usr/lib");
    refused(&[link(), file("out/app/link/it")], "out/app/link/it: what is above it is no folder");
    refused(&[link(), folder("out/app/link/")], "out/app/link/: something stands there before");
    refused(&[FILE, file("out/app/it/x")], "what is above it is no folder");
}

#[test]
fn a_path_stands_for_one_thing() {
    refused(&[FILE, FILE], "something stands there before");
    refused(&[FILE, symlink("out/app/it", "x")], "something stands there before");
    refused(&[file("out/app/a/b"), symlink("out/app/a", "x")], "something stands there before");
    refused(&[folder("out/app/a"), file("out/app/./a")], "something stands there before");
    assert!(filtered(&[folder("out/app/a"), folder("out/app/a/")], &RULES).is_ok());
}

#[test]
fn another_name_is_one_of_a_file_before_it() {
    for target in ["out/app/later", "/etc/passwd", "out/app", "app/it", "out/app/../../etc/passwd", ""] {
        let entries = [FILE, link(b'1', "out/app/hard", target), file("out/app/later")];
        refused(&entries, "it is another name of what is not there");
    }
    let through = [FILE, symlink("out/app/link", "it"), link(b'1', "out/app/hard", "out/app/link")];
    refused(&through, "it is another name of what is not there (out/app/link)");
}

#[test]
fn nothing_is_more_than_a_file() {
    for mode in [0o4755, 0o2755, 0o6000] {
        refused(&[Raw { mode, ..FILE }], "setuid, setgid");
        let first = Raw { mode: 0o755, ..FILE };
        refused(&[first, Raw { mode, ..link(b'1', "out/app/hard", "out/app/it") }], "setuid, setgid");
        let found = filtered(&[Raw { mode, ..folder("out/app/it") }], &RULES).unwrap();
        assert_eq!(found, "folder 755 app/\nfolder 755 app/it/\n");
    }
    refused(&[Raw { kind: b'3', content: b"", ..FILE }], "it is a device");
    refused(&[Raw { kind: b'4', content: b"", ..FILE }], "it is a device");
    refused(&[Raw { kind: b'6', content: b"", ..FILE }], "it is a named pipe");
    for kind in [b'7', b'S', b'D', b'V', b'M', b'g', b'X', b'z'] {
        refused(&[Raw { kind, ..FILE }], "it is no file, folder or link");
    }
}

#[test]
fn there_are_limits() {
    let all = Rules { max_bytes: 6, max_entries: 4, ..RULES };
    let entries = |more: Raw<'static>| [file("out/app/a"), file("out/app/b"), more];
    assert!(filtered(&entries(folder("out/app")), &all).is_ok());
    assert!(filtered(&entries(file("out/app/c")), &all).unwrap_err().contains("more than 6 bytes"));
    let entries = |more: &'static str| [folder("out/app/a"), folder("out/app/b"), folder(more)];
    assert!(filtered(&entries("out/app/b"), &all).is_ok());
    assert!(filtered(&entries("out/app/c"), &all).unwrap_err().contains("more than 4 files"));
    let bytes = Rules { max_bytes: u64::MAX, ..RULES };
    assert!(filtered(&[FILE], &bytes).is_ok());
}

#[test]
fn what_can_be_read_in_two_ways_is_not_read() {
    refused(&[extension(b'x', b"10 path=a"), FILE], "an extension cannot be read");
    refused(&[extension(b'x', &record("size", b"1")), FILE], "a size stands in an extension");
    refused(&[extension(b'x', &record("GNU.sparse.major", b"1")), FILE], "with holes");
    refused(&[FILE, extension(b'x', &record("path", b"a"))], "it ends behind an extension");
    let long = vec![b'a'; (1 << 20) + 1];
    refused(&[extension(b'L', &long), FILE], "longer than a megabyte");
}

#[test]
fn what_is_cut_off_is_an_error() {
    let whole = archive(&[FILE, file("out/app/b")]);
    let mut broken = whole.clone();
    broken[0] ^= 1;
    for bytes in [&whole[..600], &whole[..513], &whole[..100], &whole[..1100], &broken] {
        let err = filter(bytes, std::io::sink(), &RULES).unwrap_err();
        assert!(!err.to_string().is_empty());
    }
    let record = archive(&[extension(b'x', &record("path", b"out/app/x")), FILE]);
    assert!(filter(&record[..520], std::io::sink(), &RULES).is_err());
}

#[test]
fn nothing_takes_a_file_of_another_layer_away() {
    for path in ["out/app/.wh.it", "out/app/.wh..wh..opq", "out/app/.wh.../it", "out/app/.wh."] {
        refused(&[file(path)], "says that another file is gone");
    }
    filtered(&[file("out/app/x.wh.it"), file("out/app/.whit")], &RULES).unwrap();
}
