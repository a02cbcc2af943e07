package dev.sund.it.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.lab.Lab;
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

    LabOutput lab = LabOutput.of("examples/shop");

    assertThat(lab.exitCode()).as(lab.out() + lab.err()).isEqualTo(Lab.DIFFER);
    assertThat(lab.out()).contains("DIFFERS").contains("drift: node n").contains(named);
    assertThat(lab.lastLine()).matches("[0-9]+ probes, [0-9]+ agree, [1-9][0-9]* differ");
  }
}
