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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Host ports as the lab predicts them from tables, and as packets find them. */
@Tag("netns")
class HostPortTest {
  private static final String PROPERTY = "sund.test.wrongEntry";

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @AfterEach
  void buildRightlyAgain() {
    System.clearProperty(PROPERTY);
  }

  @Test
  void predictionsFromTheTablesAndPacketsAgree() {
    assertThat(lab()).as(out.toString(UTF_8) + err.toString(UTF_8)).isZero();

    // Outside is seen as itself, and so are pods; the pod itself and the loopback as the node.
    assertThat(line("outside -> shop/ingress by its node 53/udp v6"))
        .contains("reach yes=yes", "source fd00:ff::a");
    assertThat(line("outside -> shop/admin by its node 53/tcp v4"))
        .contains("reach yes=yes", "source 203.0.113.10");
    assertThat(line("shop/ingress-far -> shop/ingress-far by its node 80/tcp v4"))
        .contains("reach yes=yes", "source 192.168.12.13");
    assertThat(line("shop/ingress-far -> shop/ingress-far by its node 80/tcp v6"))
        .contains("reach yes=yes", "source fd00:b::13");
    assertThat(out.toString(UTF_8)).doesNotContain("shop/admin by its node 53/tcp v6");
    assertThat(lastLine()).matches("[0-9]+ probes, [0-9]+ agree, 0 differ");
  }

  @Test
  void oneWrongEndpointIsFoundAndNamed() {
    System.setProperty(PROPERTY, "endpoints local-v4 80/tcp #0");

    assertThat(lab()).isEqualTo(Lab.DIFFER);

    assertThat(out.toString(UTF_8))
        .contains("DIFFERS")
        .contains("drift: node n1: nft element inet sund endpoints-node-v4 local-v4 80/tcp #0");
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
                root.resolve("examples/shop/nodes.yaml").toString(),
                root.resolve("examples/host-ports").toString()),
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
