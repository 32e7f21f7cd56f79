//! What the engine is told about the steps of a build: their volume, their containers, and files in and out.
//!
//! Names, [`Step`], sandbox -> arguments. Pure. Invariant: all that is made has the labels of a build, and no server's: so it
//! is found again, and no command takes it for a server.

use drydock_catalog::Sandbox;
use drydock_contract::label;

use crate::flags::{self, strings};
use crate::workbench::{Step, WORK};

/// Whose a build is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Build<'a> {
    /// The clone's id.
    pub(crate) workspace: &'a str,
    /// The server's name.
    pub(crate) server: &'a str,
}

impl Build<'_> {
    pub(crate) fn labels(self) -> Vec<String> {
        // An image of ours has a server's label, which its containers would take over.
        let all = [(label::WORKSPACE, self.workspace), (label::BUILD, self.server), (label::SERVER, "")];
        all.iter().flat_map(|(name, value)| ["--label".to_owned(), format!("{name}={value}")]).collect()
    }
}

/// A volume. Prints its name.
pub(crate) fn create_volume(name: &str, build: Build<'_>) -> Vec<String> {
    [strings(["volume", "create"]), build.labels(), vec![name.to_owned()]].concat()
}

/// A container that never runs: a way to the files of an image and, where it is named, of the work folder. Prints its id.
pub(crate) fn create_bare(image: &str, volume: Option<&str>, build: Build<'_>) -> Vec<String> {
    let mut args = strings(["create", "--pull", "never", "--network", "none"]);
    args.extend(build.labels());
    args.extend(volume.map(mount).into_iter().flatten());
    // An image need not name a program; this one is nowhere.
    args.extend(strings(["--entrypoint", "/never-run", image]));
    args
}

/// A step, with the whole sandbox. Prints its id.
pub(crate) fn create_step(step: &Step<'_>, sandbox: &Sandbox, volume: &str, build: Build<'_>) -> Vec<String> {
    let mut args = strings(["create", "--pull", "never", "--no-healthcheck"]);
    args.extend(flags::of(sandbox));
    args.extend(build.labels());
    args.extend(mount(volume));
    args.extend(["--workdir".to_owned(), format!("{WORK}/{}", step.folder)]);
    let own = [("HOME", format!("{WORK}/{HOME}")), ("TMPDIR", format!("{WORK}/{TEMP}"))];
    let own = own.iter().map(|(name, value)| format!("{name}={value}"));
    let others = step.env.iter().map(|(name, value)| format!("{name}={value}"));
    for it in own.chain(others).chain(step.env_names.iter().cloned()) {
        args.extend(["--env".to_owned(), it]);
    }
    let (program, rest) = step.command.split_first().map_or(("", [].as_slice()), |it| (it.0, it.1));
    args.extend(strings(["--entrypoint", program, step.image]));
    args.extend_from_slice(rest);
    args
}

/// Folders of the work folder that are there from the start.
pub(crate) const HOME: &str = "home";
pub(crate) const TEMP: &str = "tmp";

fn mount(volume: &str) -> [String; 2] {
    ["--mount".to_owned(), format!("type=volume,source={volume},target={WORK},volume-nocopy")]
}

/// Starts a container, and prints what it prints until it ends; its exit code is the command's.
pub(crate) fn start_attached(container: &str) -> Vec<String> {
    strings(["start", "--attach", container])
}

/// A file or folder of a container as an archive on stdout, with everything below it.
pub(crate) fn pack(container: &str, path: &str) -> Vec<String> {
    vec!["cp".to_owned(), format!("{container}:{path}"), "-".to_owned()]
}

/// All files of a container as an archive on stdout.
pub(crate) fn export(container: &str) -> Vec<String> {
    strings(["export", container])
}

/// Removes containers, running or not, with the volumes without a name that their image brought.
pub(crate) fn remove(containers: &[String]) -> Vec<String> {
    [strings(["rm", "--force", "--volumes"]), containers.to_vec()].concat()
}

/// The containers of builds of a workspace as `ID<tab>SERVER`.
pub(crate) fn list_containers(workspace: &str) -> Vec<String> {
    let format = format!("{{{{.ID}}}}\t{{{{.Label \"{}\"}}}}", label::BUILD);
    [strings(["ps", "--all", "--no-trunc"]), filters(workspace), strings(["--format", &format])].concat()
}

/// The volumes of builds of a workspace as `NAME<tab>SERVER`.
pub(crate) fn list_volumes(workspace: &str) -> Vec<String> {
    let format = format!("{{{{.Name}}}}\t{{{{.Label \"{}\"}}}}", label::BUILD);
    [strings(["volume", "ls"]), filters(workspace), strings(["--format", &format])].concat()
}

fn filters(workspace: &str) -> Vec<String> {
    let own = format!("label={}={workspace}", label::WORKSPACE);
    strings(["--filter", &own, "--filter", &format!("label={}", label::BUILD)])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use drydock_catalog::Network;

    use super::*;
    use crate::workbench::{self, Limits};

    const BUILD: Build<'_> = Build { workspace: "0123", server: "context7" };

    /// Golden, word by word, as a server's own container.
    #[test]
    fn a_step_has_the_whole_sandbox() {
        let limits = Limits { memory: 1 << 30, pids: 100, open_files: 2000, time: Duration::from_secs(1) };
        let (command, names) = (strings(["npm", "ci", "--x"]), ["HTTPS_PROXY".to_owned()]);
        let step = Step {
            what: "installing",
            image: "node:22-slim",
            command: &command,
            folder: "app",
            env: &[("A".to_owned(), "b c".to_owned())],
            env_names: &names,
            network: Network::None,
            limits,
            is_cancelled: &|| false,
        };
        let sandbox = workbench::sandbox(&step, "drydock-build-1");
        let golden = "create --pull never --no-healthcheck --init --read-only --cap-drop ALL --security-opt \
            no-new-privileges --user 65532:65532 --network none --ipc private --memory 1073741824 --memory-swap \
            1073741824 --cpus 0 --pids-limit 100 --ulimit nofile=2000:2000 --ulimit core=0:0 --tmpfs \
            /run:rw,noexec,nosuid,nodev,size=1m,mode=0700,uid=65532,gid=65532 --tmpfs \
            /tmp:rw,noexec,nosuid,nodev,size=16m,mode=1777,uid=65532,gid=65532 --log-driver json-file --log-opt \
            max-size=1m --log-opt max-file=3 --label dev.drydock.workspace=0123 --label \
            dev.drydock.build=context7 --label dev.drydock.server= --mount \
            type=volume,source=drydock-build-1,target=/work,volume-nocopy --workdir /work/app --env \
            HOME=/work/home --env TMPDIR=/work/tmp --env A=b c --env HTTPS_PROXY --entrypoint npm node:22-slim ci \
            --x";
        let args = create_step(&step, &sandbox, "drydock-build-1", BUILD);
        assert_eq!(args.join(" "), golden);
        let online = Step { network: Network::Internet, ..step };
        let args = create_step(&online, &workbench::sandbox(&online, "v"), "v", BUILD);
        assert!(args.windows(2).any(|it| it == ["--network", "bridge"]), "{args:?}");
    }

    #[test]
    fn nothing_of_a_build_is_taken_for_a_server() {
        for args in
            [create_bare("i", Some("v"), BUILD), create_bare("i", None, BUILD), create_volume("v", BUILD)]
        {
            let args = args.join(" ");
            assert!(args.contains("--label dev.drydock.build=context7"), "{args}");
            assert!(args.contains("--label dev.drydock.server= ") && !args.contains("context7:"), "{args}");
        }
    }
}
