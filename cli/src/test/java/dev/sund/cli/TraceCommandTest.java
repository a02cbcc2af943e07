package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TraceCommandTest {
  private static final String SHOP =
      Path.of(System.getProperty("sund.root"), "examples/shop").toString();
  private static final String WEB = "shop/web-6d4f9c7b58-2xkqp";

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int trace(String... arguments) {
    String[] all = new String[arguments.length + 3];
    all[0] = "trace";
    all[1] = "-f";
    all[2] = SHOP;
    System.arraycopy(arguments, 0, all, 3, arguments.length);
    return run(all);
  }

  private int run(String... arguments) {
    return Sund.commandLine(Map.of())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  @Test
  void aPodReachesAPodBehindARouterByTheTunnelInBothFamilies() {
    assertThat(trace(WEB, "shop/db-0:5432")).isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .contains(
            WEB + " -> 10.244.3.7 5432/tcp",
            "wrapped in VXLAN 4096 from 192.168.11.11 to 192.168.12.13, mtu 1450  [Node n3]",
            "there: delivered to pod shop/db-0 on n3, vxlan, largest packet 1450, source 10.244.1.5",
            WEB + " -> 2001:db8:3::7 5432/tcp",
            "vxlan, largest packet 1430, source 2001:db8:1::5",
            "back:  answered");
  }

  @Test
  void aHostOutsideSeesTheNodesAddress() {
    assertThat(trace("shop/db-0", "203.0.113.10:53/udp")).isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .contains("source 10.244.3.7 becomes 192.168.12.13", "to host outside, direct");
  }

  @Test
  void aServiceIsTracedToEachEndpointAndBack(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("service.yaml"),
            """
            apiVersion: v1
            kind: Service
            metadata: {name: db, namespace: shop}
            spec:
              type: NodePort
              clusterIP: 10.96.0.10
              ports: [{name: sql, port: 5432, nodePort: 30432}, {name: ui, port: 80}]
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
            addressType: IPv4
            ports: [{name: sql, port: 5432}]
            endpoints:
            - {addresses: [10.244.3.7], nodeName: n3, targetRef: {kind: Pod, name: db-0}}
            """);
    String shop = SHOP + "/";
    assertThat(run("trace", "-f", shop, "-f", file.toString(), WEB, "svc/db:sql"))
        .isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .contains(
            WEB + " -> 10.96.0.10 5432/tcp",
            "there: delivered to pod shop/db-0 on n3",
            "source 10.244.1.5",
            "back:  answered");
    assertThat(run("trace", "-f", shop, "-f", file.toString(), WEB, "svc/shop/db:80"))
        .isEqualTo(ExitCode.DIFFERS);
    assertThat(out.toString()).contains("no-endpoints");
    assertThat(run("trace", "-f", shop, "-f", file.toString(), WEB, "192.168.11.11:30432"))
        .isEqualTo(ExitCode.OK);
    assertThat(run("trace", "-f", shop, "-f", file.toString(), WEB, "svc/db"))
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(run("trace", "-f", shop, "-f", file.toString(), WEB, "svc/nobody"))
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString())
        .contains(
            "'svc/db' may be several ports of shop/db. There are: 5432/tcp sql, 80/tcp ui.",
            "There is no Service shop/nobody in the files that a proxy serves. There are: shop/db.");
  }

  @Test
  void addressesOutsideAreTracedFromAndTo() {
    assertThat(trace(WEB, "8.8.8.8:53/udp")).isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .contains(
            "assumed: 8.8.8.8 is somebody's outside of the cluster",
            "source 10.244.1.5 becomes 192.168.11.11",
            "router   underlay    forwarded to segment outside by br-outside, mtu 1500",
            "there: delivered to host outside, direct, largest packet 1450",
            "destination 192.168.11.11 is translated back to 10.244.1.5",
            "verdict: allowed");
    assertThat(trace("8.8.4.4", "192.168.11.11/icmp")).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("node n1 takes it at 192.168.11.11, from 8.8.4.4");
    assertThat(trace("10.244.1.5", "10.244.3.7:5432")).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("from pod " + WEB + " as 10.244.1.5");
    assertThat(trace("10.244.1.99", "10.244.3.7:5432")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains("Nobody in the files has the address 10.244.1.99.");
  }

  @Test
  void withoutFilesAndAnAgentNothingIsTraced(@TempDir Path folder) {
    assertThat(run("trace", "--run-dir", folder.toString(), WEB, "10.244.3.7"))
        .isEqualTo(ExitCode.COULD_NOT_RUN);
    assertThat(err.toString()).contains("No agent answers at " + folder);
  }

  @Test
  void anUnusedAddressIsSaidToBeUnused() {
    assertThat(trace(WEB, "10.244.3.77")).isEqualTo(ExitCode.DIFFERS);
    assertThat(out.toString())
        .contains("there: address-unused, told by n3", "verdict: blocked, address-unused");
  }

  @Test
  void jsonNamesTheRuleOfEachHop() {
    assertThat(trace(WEB, "[2001:db8:3::7]:5432/udp", "-o", "json")).isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .startsWith("{\"traces\":[{\"from\":\"" + WEB + "\",\"to\":\"2001:db8:3::7\"")
        .contains("\"protocol\":\"udp\",\"port\":5432", "\"rule\":\"Pod:shop/db-0:");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          shop/nobody | 10.244.3.7       | There is no running pod shop/nobody in the files.
          node/n9     | 10.244.3.7       | There is no node 'n9'. There are: n1, n2, n3.
          web         | 10.244.3.7       | 'web' does not name an end.
          node/n1     | 10.244.3.7:70000 | '10.244.3.7:70000' names the port '70000'.
          node/n1     | 10.244.3.7/tcp   | '10.244.3.7/tcp' names no port for tcp.
          node/n1     | 10.244.3         | '10.244.3' is not an address.
          """)
  void whatCannotBeTracedIsNamed(String from, String to, String message) {
    assertThat(trace(from, to)).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains("sund: " + message);
  }

  @Test
  void aMalformedFileIsShownWithItsLine(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("bad.yaml"), "kind: Pod\nmetadata: [\n");
    assertThat(run("trace", "-f", file.toString(), "a/b", "c/d")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains("error: " + file + ":", "[malformed]");
  }

  @Test
  void aMissingFileIsNamed() {
    assertThat(run("trace", "-f", "/nonexistent.yaml", "a/b", "c/d")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains("/nonexistent.yaml");
  }

  @Test
  void withoutAnAgentIpamSaysSo(@TempDir Path folder) {
    assertThat(run("ipam", "show", "--run-dir", folder.toString()))
        .isEqualTo(ExitCode.COULD_NOT_RUN);
    assertThat(err.toString())
        .isEqualTo(
            "sund: No agent answers at "
                + folder
                + ". Start one (sund agent --help), or name its --run-dir.\n");
  }
}
