package dev.sund.it.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services in the lab: predicted from the tables, in force, and as packets find them. */
@Tag("netns")
@Timeout(300)
class ServicesLabTest {
  @TempDir private Path directory;

  @Test
  void aLabThatStandsTracesToServicesByName() throws Exception {
    String root = System.getProperty("sund.root", "..");
    try (LabProcess lab =
        LabProcess.start(
                directory, "-f", root + "/examples/shop", "-f", root + "/examples/services")
            .until("stands until Ctrl-C")) {
      LabProcess trace =
          LabProcess.run(
              directory,
              "trace",
              "--lab",
              String.valueOf(lab.id()),
              "n1",
              "svc/kube-system/dns:53");
      assertThat(trace.exitCode()).as(trace.out() + trace.err()).isZero();
      assertThat(trace.out())
          .contains(
              "10.96.0.10 53/udp becomes ",
              "10.96.0.10 53/tcp becomes ",
              "[Service kube-system/dns]");
      rolls(lab);
    }
  }

  private void rolls(LabProcess lab) throws Exception { // S21
    String id = String.valueOf(lab.id());
    LabProcess rolled = LabProcess.run(directory, "roll", "--lab", id, "payments/ledger");
    assertThat(rolled.exitCode()).as(rolled.out() + rolled.err() + lab.err()).isZero();
    assertThat(rolled.out())
        .contains("payments/ledger-5f9d7c8b6-q7kcd ends", "ledger-5f9d7c8b6-q7kcd is gone");
    assertThat(rolled.lastLine())
        .startsWith("1 pods of payments/ledger replaced; ")
        .contains("svc/payments/ledger:443", "none lost");
    LabProcess nobody = LabProcess.run(directory, "roll", "--lab", id, "shop/nobody");
    assertThat(nobody.exitCode()).isEqualTo(2);
    assertThat(nobody.out()).contains("no pods belong to shop/nobody", "payments/ledger, shop/api");
    LabProcess unasked = LabProcess.run(directory, "roll", "--lab", id, "payments/charging-0");
    assertThat(unasked.exitCode()).isEqualTo(2);
    assertThat(unasked.out()).contains("no Service with a cluster address and a TCP port");
  }

  @Test
  void predictionsAndPacketsAgreeAboutEveryServiceAddress() {
    LabOutput lab = LabOutput.of("examples/shop", "examples/services");

    assertThat(lab.exitCode()).as(lab.out() + lab.err()).isZero();

    // Pods are seen as themselves, people outside as the node that they come by (S7).
    assertThat(lab.line("shop/api -> svc/kube-system/dns 53/udp v4"))
        .contains("reach yes=yes", "kube-system/coredns");
    assertThat(lab.line("outside -> svc/shop/web 80/tcp v4")).contains("yes=yes", "192.168.11.11");
    assertThat(lab.line("outside -> svc/shop/web 80/tcp v6"))
        .contains("yes=yes", "sees fd00:a::11");
    // S6: the source is kept; S2: a node without an endpoint is silent.
    assertThat(lab.line("outside -> svc/payments/ledger 443/tcp v4")).contains("sees 203.0.113.10");
    assertThat(lab.line("outside -> svc/payments/ledger 3")).contains("no=no");
    assertThat(lab.line("-> svc/shop/db-here 5432/tcp v4")).contains("reach");
    // S1
    assertThat(lab.line("outside -> svc/shop/later 3")).contains("refused=refused");
    assertThat(lab.line("node -> svc/shop/later 53/udp v4")).contains("refused=refused");
    // SCTP, asked by first packets: a pod's own port, a Service's, a node's, and one of nobody.
    assertThat(lab.line("shop/api -> payments/charging-0 3868/sctp v4")).contains("reach yes=yes");
    assertThat(lab.line("shop/api -> svc/payments/charging 3868/sctp v4"))
        .contains("reach yes=yes", "payments/charging");
    assertThat(lab.line("outside -> svc/payments/charging 3")).contains("/sctp", "yes=yes");
    assertThat(lab.line("-> svc/payments/charging 3869/sctp v6")).contains("refused=refused");
    assertThat(lab.lastLine()).matches("[0-9]+ probes, [0-9]+ agree, 0 differ");
  }
}
