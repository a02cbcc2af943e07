package dev.sund.it.lab;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.lab.Console;
import dev.sund.lab.Lab;
import dev.sund.lab.LabOptions;
import dev.sund.lab.agents.AgentsInProcess;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Services in the lab: predicted from the tables, in force, and as packets find them. */
@Tag("netns")
@Timeout(120)
class ServicesLabTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void predictionsAndPacketsAgreeAboutEveryServiceAddress() {
    assertThat(lab()).as(out.toString(UTF_8) + err.toString(UTF_8)).isZero();

    // Pods are seen as themselves, people outside as the node that they come by (S7).
    assertThat(line("shop/api -> svc/kube-system/dns 53/udp v4"))
        .contains("reach yes=yes", "kube-system/coredns");
    assertThat(line("outside -> svc/shop/web 80/tcp v4")).contains("yes=yes", "192.168.11.11");
    assertThat(line("outside -> svc/shop/web 80/tcp v6")).contains("yes=yes", "sees fd00:a::11");
    // S6: the source is kept; S2: a node without an endpoint is silent.
    assertThat(line("outside -> svc/payments/ledger 443/tcp v4")).contains("sees 203.0.113.10");
    assertThat(line("outside -> svc/payments/ledger 3")).contains("no=no");
    assertThat(line("-> svc/shop/db-here 5432/tcp v4")).contains("reach");
    // S1
    assertThat(line("outside -> svc/shop/later 3")).contains("refused=refused");
    assertThat(line("node -> svc/shop/later 53/udp v4")).contains("refused=refused");
    assertThat(lastLine()).matches("[0-9]+ probes, [0-9]+ agree, 0 differ");
  }

  private String line(String begin) {
    return out.toString(UTF_8).lines().filter(line -> line.contains(begin)).findFirst().orElse("");
  }

  private String lastLine() {
    return out.toString(UTF_8).strip().lines().toList().getLast();
  }

  private int lab() {
    Path root = Path.of(System.getProperty("sund.root", ".."));
    LabOptions options =
        new LabOptions(
            List.of(
                root.resolve("examples/shop").toString(),
                root.resolve("examples/services").toString()),
            OptionalInt.empty(),
            true,
            false,
            false,
            false,
            Optional.of(root.resolve("deploy")),
            _ -> new AgentsInProcess());
    return Lab.run(
        options,
        new Console(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8), false),
        InputStream.nullInputStream());
  }
}
