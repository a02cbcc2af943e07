package dev.sund.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.testing.TestNetns;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is left of the library when capabilities are taken away. */
@Tag("netns")
class CapabilitiesNetnsTest {
  private final TestNetns net = TestNetns.open();

  @AfterEach
  void close() {
    net.close();
  }

  /** Runs {@link CapabilityProbe} as root with only these capabilities. */
  private static String probe(String capabilities, List<String> prefix, NetNs... namespaces) {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(
        List.of(
            "setpriv",
            "--bounding-set",
            "-all" + capabilities,
            "--inh-caps",
            "-all",
            ProcessHandle.current().info().command().orElseThrow(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            CapabilityProbe.class.getName()));
    for (NetNs namespace : namespaces) {
      command.add(namespace.path().toString());
    }
    TestNetns.Result result = TestNetns.execute(command);
    assertThat(result.exit()).as(result.err()).isZero();
    return result.out();
  }

  @Test
  void netAdminAndSysAdminAreEnoughForEverything() {
    assertThat(probe(",+net_admin,+sys_admin", List.of(), net.create("node"), net.create("pod")))
        .isEqualTo(
            "links: fine\npod: fine\nfabric: fine\nnft: fine\nsysctl: fine\nmonitor: fine\n");
  }

  @Test
  void withoutSysAdminNoNamespaceIsEnteredAndTheErrorSaysSo() {
    NetNs node = net.create("node");
    assertThat(probe(",+net_admin", List.of("nsenter", "--net=" + node.path(), "--"), node))
        .isEqualTo(
            """
            links here: fine
            links by entering: denied SYS_ADMIN: enter namespace PATH: Denied, needs \
            CAP_SYS_ADMIN (EPERM, kernel: "Operation not permitted"). Run as root or grant \
            CAP_SYS_ADMIN.
            """
                .replace("PATH", node.path().toString()));
  }

  @Test
  void withoutNetAdminNothingIsChangedAndTheErrorSaysSo() {
    assertThat(probe(",+sys_admin", List.of(), net.create("node"), net.create("pod")).lines())
        .satisfiesExactly(
            line -> assertThat(line).isEqualTo("links: fine"),
            line ->
                assertThat(line)
                    .isEqualTo(
                        "pod: denied NET_ADMIN: create link v0 veth peer eth0: Denied, needs"
                            + " CAP_NET_ADMIN (EPERM, kernel: \"Operation not permitted\"). Run as"
                            + " root or grant CAP_NET_ADMIN."),
            line -> assertThat(line).startsWith("fabric: denied NET_ADMIN: create link vx0 vxlan"),
            line -> assertThat(line).startsWith("nft: denied NET_ADMIN:"),
            line ->
                assertThat(line)
                    .startsWith("sysctl: denied NET_ADMIN: write sysctl net/ipv4/ip_forward = 1"),
            line -> assertThat(line).isEqualTo("monitor: fine"));
  }
}
