package dev.sund.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only a running kernel shows. */
class HostTest {
  @Test
  void readsTheWholeOfASysctlAndNotItsFirstDigit() throws Exception {
    Host here = new Host(Path.of("/"), Duration.ZERO, _ -> {}, Facts.none());
    // Never below 301: kernel/pid.c
    assertThat(here.number("proc/sys/kernel/pid_max")).isGreaterThan(300);
    assertThat(here.text("proc/sys/net/ipv4/ip_local_port_range").split("\\s+")).hasSize(2);
  }

  @TempDir Path root;

  private Host blind(Blind... blind) throws Exception {
    for (String file : List.of("etc/sysctl.d/a", "proc/7/comm", "proc/net/snmp", "proc/stat")) {
      Files.createDirectories(root.resolve(file).getParent());
      Files.writeString(root.resolve(file), "text");
    }
    Files.createDirectories(root.resolve("proc/sys/net"));
    return new Host(root, Duration.ZERO, _ -> {}, Facts.none(), Set.of(blind));
  }

  @Test
  void filesAndProcessesOfAContainerAreNotTakenForTheNodes() throws Exception {
    Host host = blind(Blind.FILES);
    assertThat(host.text("proc/stat")).isEqualTo("text");
    assertThat(host.text("proc/net/snmp")).isEqualTo("text");
    assertThatThrownBy(() -> host.text("etc/sysctl.d/a"))
        .isInstanceOf(UnreadException.class)
        .hasMessage("/etc/sysctl.d/a is a container's here and not the node's");
    assertThatThrownBy(() -> host.names("etc/sysctl.d")).isInstanceOf(UnreadException.class);
    assertThatThrownBy(() -> host.names("proc")).isInstanceOf(UnreadException.class);
    assertThatThrownBy(() -> host.text("proc/7/comm")).isInstanceOf(UnreadException.class);
  }

  @Test
  void filesOfAnotherNetworkAreNotTakenForTheNodes() throws Exception {
    Host host = blind(Blind.NETWORK);
    assertThat(host.text("etc/sysctl.d/a")).isEqualTo("text");
    assertThatThrownBy(() -> host.text("proc/net/snmp"))
        .isInstanceOf(UnreadException.class)
        .hasMessageContaining("this process's own network");
    assertThatThrownBy(() -> host.names("sys/class/net")).isInstanceOf(UnreadException.class);
    assertThatThrownBy(() -> host.names("proc/sys/net/ipv4")).isInstanceOf(UnreadException.class);
  }

  /** Else a check that finds no file would say that there is nothing to judge. */
  @Test
  void aCheckThatAskedWhetherSomethingUnseenIsThereHasNoVerdict() throws Exception {
    Host host = blind(Blind.FILES);
    Check<Boolean> check =
        new Check<>(
            "any", "Any", from -> from.has("etc/sysctl.d"), _ -> new Verdict.NotHere("no folder"));
    assertThat(check.examine(host).outcome()).isInstanceOf(Result.Unread.class);

    Check<String> other =
        new Check<>(
            "other", "Other", from -> from.text("proc/stat"), text -> new Verdict.Right(text));
    assertThat(other.examine(host).outcome()).isInstanceOf(Result.Judged.class);

    // The same where several checks share what was read.
    Check<Boolean> shared =
        new Check<>(
            "shared",
            "Shared",
            from -> from.once(Boolean.class, one -> one.has("etc/sysctl.d")),
            _ -> new Verdict.NotHere("no folder"));
    assertThat(shared.examine(host).outcome()).isInstanceOf(Result.Unread.class);
    assertThat(shared.examine(host).outcome()).isInstanceOf(Result.Unread.class);
  }

  /** Else the recorded tree has no such folder, and a check says that there is nothing to judge. */
  @Test
  void aRecordedTreeSaysOfAFolderWhyItWasNotSeen(@TempDir Path tree) throws Exception {
    blind(); // makes the files
    Recording recording = new Recording();
    Host host =
        new Host(root, Duration.ZERO, _ -> {}, Facts.none(), Set.of(Blind.FILES), recording);
    assertThatThrownBy(() -> host.names("etc/sysctl.d")).isInstanceOf(UnreadException.class);
    assertThatThrownBy(() -> replayed(recording, tree).names("etc/sysctl.d"))
        .isInstanceOf(UnreadException.class)
        .hasMessage("/etc/sysctl.d is a container's here and not the node's");
  }

  @Test
  void aWindowIsAsLongInTheRecordedTreeAsItWasInAContainer(@TempDir Path tree) throws Exception {
    blind();
    List<Check<?>> checks =
        List.of(
            new Check<>(
                "rate",
                "Rate",
                List.of("proc/stat"),
                from -> from.before("proc/stat") + " " + from.seconds(),
                Verdict.Right::new));
    Recording recording = new Recording();
    Host host =
        new Host(
            root, Duration.ofSeconds(3600), _ -> {}, Facts.none(), Set.of(Blind.FILES), recording);
    Result.Outcome then = Examination.of(host, checks).results().getFirst().outcome();
    assertThat(then).isEqualTo(new Result.Judged(new Verdict.Right("text 3600.0")));
    assertThat(Examination.of(replayed(recording, tree), checks).results().getFirst().outcome())
        .isEqualTo(then);
  }

  private static Host replayed(Recording recording, Path tree) throws Exception {
    for (Map.Entry<String, String> file : recording.files().entrySet()) {
      Files.createDirectories(tree.resolve(file.getKey()).getParent());
      Files.writeString(tree.resolve(file.getKey()), file.getValue());
    }
    return new Host(tree, Duration.ZERO, _ -> {}, Facts.none());
  }
}
