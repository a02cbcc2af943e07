package dev.sund.it.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund exec-net} and {@code sund capture} on a node without an agent. */
@Tag("netns")
class PodToolsTest {
  @TempDir Path folder;
  private PodBed bed;

  @BeforeEach
  void twoPods() throws Exception {
    bed = new PodBed(folder);
  }

  @AfterEach
  void removed() {
    bed.close();
  }

  @Test
  void aProgramOfTheNodeRunsInThePodsNetworkAndItsExitCodeIsOurs() throws Exception {
    PodBed.Ended ended =
        bed.run("exec-net", "shop/web-0", "--", "sh", "-c", "ip -o addr show eth0; exit 7");
    assertThat(ended.out()).contains("10.9.0.1/24", "fd00:9::1/64");
    assertThat(ended.exitCode()).isEqualTo(7);

    PodBed.Ended byAddress = bed.run("exec-net", "--which", PodBed.DB.toString());
    assertThat(byAddress.out()).contains(bed.db.path().toString(), "10.9.0.2, fd00:9::2");

    PodBed.Ended none = bed.run("exec-net", "shop/none", "--", "true");
    assertThat(none.exitCode()).isEqualTo(2);
    assertThat(none.err()).contains("There is no pod shop/none", "Sund's records").hasLineCount(1);
  }

  @Test
  void aCaptureShowsThePacketsThatItsFilterLetsPassWithNames() throws Exception {
    PodBed.Running capture =
        bed.capture("shop/web-0," + bed.db, "--count", "4", "udp", "port", "4000");
    bed.send(PodBed.DB, 5_000, 1);
    bed.send(PodBed.DB, 4_000, 1);
    bed.send(PodBed.DB6, 4_000, 1);
    PodBed.Ended ended = PodBed.ended(capture);
    assertThat(ended.exitCode()).as(ended.err()).isZero();
    assertThat(ended.out().lines().map(line -> line.replaceAll("^\\S+ |\\.\\d+ >", "")).toList())
        .as("the same packet in both pods, in the order of time")
        .containsExactly(
            "shop/web-0 eth0 Out IP shop/web-0 " + bed.db + ".4000: UDP, length 32",
            bed.db + " eth0 In  IP shop/web-0 " + bed.db + ".4000: UDP, length 32",
            "shop/web-0 eth0 Out IP6 shop/web-0 fd00:9::2.4000: UDP, length 32",
            bed.db + " eth0 In  IP6 shop/web-0 fd00:9::2.4000: UDP, length 32");
    assertThat(ended.err()).contains("4 packets captured", "0 dropped");
  }

  @Test
  void ctrlCEndsACaptureWithItsCounts() throws Exception {
    PodBed.Running capture = bed.capture("shop/web-0", "udp dst port 4000");
    bed.send(PodBed.DB, 4_000, 3);
    PodBed.interrupt(capture);
    PodBed.Ended ended = PodBed.ended(capture);
    assertThat(ended.exitCode()).as(ended.err()).isZero();
    assertThat(ended.out()).hasLineCount(3);
    assertThat(ended.err()).contains("3 packets captured, 3 passed the filter, 0 dropped");
  }

  @Test
  void netstatShowsWhichCountersOfAPodGrow() throws Exception {
    PodBed.Running netstat =
        bed.start("netstat", "--pod", PodBed.DB.toString(), "--interval", "1s", "--top", "3");
    while (netstat.process().isAlive()) { // it looks at some second of these
      bed.send(PodBed.DB, 4_000, 5);
      Thread.sleep(20);
    }
    PodBed.Ended ended = PodBed.ended(netstat);
    assertThat(ended.out())
        .contains("pod 10.9.0.2", "Udp.NoPorts", "to a port that nobody listens on")
        .doesNotContain("\u001b");
    assertThat(ended.exitCode()).as("nothing but what nobody listens to: " + ended.out()).isZero();
  }

  @Test
  void netstatWatchesLookAfterLookWithRatesAndTheWorstFirst() throws Exception {
    PodBed.Running netstat =
        bed.start(
            "netstat",
            "--pod",
            PodBed.DB.toString(),
            "--watch",
            "--looks",
            "2",
            "--interval",
            "1s",
            "-o",
            "json");
    while (netstat.process().isAlive()) {
      bed.send(PodBed.DB, 4_000, 5);
      Thread.sleep(20);
    }
    PodBed.Ended ended = PodBed.ended(netstat);
    assertThat(ended.exitCode()).as(ended.err()).isZero();
    List<String> looks = ended.out().lines().toList();
    assertThat(looks).as("a line a look").hasSize(2);
    assertThat(looks)
        .allSatisfy(look -> {
          Tree.Mapping fields = (Tree.Mapping) JsonTrees.parse(look);
          Tree.Mapping first =
              (Tree.Mapping)
                  ((Tree.Sequence) fields.get("counters").orElseThrow()).items().getFirst();
          assertThat(first.text("name")).contains("Udp.NoPorts");
          assertThat(Double.parseDouble(first.text("perSecond").orElseThrow())).isGreaterThan(20);
        });
  }

  @Test
  void onATerminalEachLookIsWrittenOverTheOneBefore() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "no program script");
    String command = PodBed.command("netstat", "--watch", "--looks", "2", "--interval", "1s");
    Process process =
        new ProcessBuilder("script", "-qec", command, "/dev/null")
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(folder.resolve("terminal").toFile())
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String pages = Files.readString(folder.resolve("terminal"));
    assertThat(pages.split("\u001b\\[H", -1)).as(pages).hasSize(3);
    assertThat(pages).contains("this node");
  }
}
