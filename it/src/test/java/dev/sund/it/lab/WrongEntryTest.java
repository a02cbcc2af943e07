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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A build that writes one entry of a table wrongly: the lab must find it. */
@Tag("netns")
class WrongEntryTest {
  private static final String PROPERTY = "sund.test.wrongEntry";

  @AfterEach
  void buildRightlyAgain() {
    System.clearProperty(PROPERTY);
  }

  @ParameterizedTest
  @CsvSource({
    "routes 10.244.3.0/24, shop/db",
    "tunnels sund-vxlan4, sund-vxlan4",
    "peers sund-vxlan4 192.168.12.13, sund-vxlan4",
    "masquerade NAT_OUTGOING 10.244.1.0/24, outside"
  })
  void labFailsAndNamesIt(String entry, String named) {
    System.setProperty(PROPERTY, entry);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();

    int exitCode = lab(out, err);

    String said = out.toString(UTF_8);
    assertThat(exitCode).as(said + err.toString(UTF_8)).isEqualTo(Lab.DIFFER);
    assertThat(said).contains("DIFFERS").contains("drift: node n").contains(named);
    assertThat(said.strip().lines().toList().getLast())
        .matches("[0-9]+ probes, [0-9]+ agree, [1-9][0-9]* differ");
  }

  private static int lab(ByteArrayOutputStream out, ByteArrayOutputStream err) {
    Path root = Path.of(System.getProperty("sund.root", ".."));
    LabOptions options =
        new LabOptions(
            List.of(root.resolve("examples/shop").toString()),
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
