package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.Rbac;
import dev.sund.lab.api.Subject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code sund doctor} of a cluster with 10,000 Services and 5,000 pods, all in one namespace: in
 * seconds, where a comparison of each with each takes minutes.
 */
@Tag("netns")
@Tag("alone")
class DoctorClusterSizeTest {
  private static final int PODS = 5_000;
  private static final int SERVICES = 10_000;
  private static final Duration BEARABLE = Duration.ofSeconds(20);
  private static final String CHECKS =
      "load-balancer,balancer-pools,pool-size,pool-tunnel,pool-overlap,node-ranges,"
          + "service-endpoints,service-ports,endpoint-lag,default-deny,dns-pods";
  private static final String ROLE =
      """
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: {name: all}
      rules: [{apiGroups: ["*"], resources: ["*"], verbs: [list]}]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: {name: all}
      roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: all}
      subjects: [{kind: User, name: anna}]
      """;

  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void ofAListInOneLine() throws Exception {
    // As programs write it: where a line is sought for each object, a list of one line is dear.
    Path file =
        Files.writeString(
            folder.resolve("cluster.json"),
            "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":["
                + String.join(",", objects())
                + "]}");
    looks("-f", file.toString());
  }

  @Test
  void ofAnApiServer() throws Exception {
    try (LabApi api = new LabApi(InstantSource.system())) {
      api.token("anna", new Subject("anna", List.of()));
      api.allow(Rbac.parse(ROLE));
      for (String object : objects()) {
        api.put((Tree.Mapping) JsonTrees.parse(object));
      }
      ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
      api.serve(socket);
      Path config =
          Files.writeString(
              folder.resolve("kubeconfig"),
              Kubeconfig.text(
                  "http://127.0.0.1:" + socket.getLocalPort(), "anna", Optional.empty()));
      looks("--kubeconfig", config.toString());
    }
  }

  private void looks(String... cluster) throws Exception {
    Path root = Files.createDirectories(folder.resolve("root"));
    List<String> arguments =
        new ArrayList<>(List.of("doctor", "--root", root.toString(), "--only", CHECKS, "--all"));
    arguments.addAll(List.of(cluster));
    // Its own work: that of the server is not its, and others may use the processors meanwhile.
    ThreadMXBean thread = ManagementFactory.getThreadMXBean();
    long began = thread.getCurrentThreadCpuTime();
    Sund.commandLine(Map.of("NO_COLOR", "1"))
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments.toArray(String[]::new));
    Duration took = Duration.ofNanos(thread.getCurrentThreadCpuTime() - began);
    assertThat(out.toString())
        .as("%s", err)
        .contains("1 of 10000 Services select no pod: shop/s7.")
        .contains("shop/s9's https (1 pods)");
    assertThat(took).isLessThan(BEARABLE);
  }

  private static List<String> objects() {
    List<String> objects = new ArrayList<>();
    objects.add(json("{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'shop'}}"));
    for (int i = 0; i < PODS; i++) {
      objects.add(
          json(
              """
              {'apiVersion':'v1','kind':'Pod','metadata':{'name':'p%1$d','namespace':'shop',
               'labels':{'app':'a%1$d','tier':'web'}},
               'spec':{'nodeName':'n1','containers':[{'name':'c','image':'i',
                'ports':[{'name':'http','containerPort':8080}]}]},
               'status':{'phase':'Running','podIP':'%2$s','podIPs':[{'ip':'%2$s'}],
                'conditions':[{'type':'Ready','status':'True',
                 'lastTransitionTime':'2026-01-01T00:00:00Z'}]}}\
              """
                  .formatted(i, address(i))));
    }
    for (int i = 0; i < SERVICES; i++) {
      int pod = i % PODS;
      objects.add(
          json(
              """
              {'apiVersion':'v1','kind':'Service','metadata':{'name':'s%1$d','namespace':'shop'},
               'spec':{'clusterIP':'10.96.%2$d.%3$d','selector':{'app':'%4$s','tier':'web'},
                'ports':[{'name':'web','port':80,'targetPort':'%5$s'}]}}\
              """
                  .formatted(
                      i,
                      i / 250,
                      i % 250,
                      i == 7 ? "none" : "a" + pod,
                      i == 9 ? "https" : "http")));
      objects.add(
          json(
              """
              {'apiVersion':'discovery.k8s.io/v1','kind':'EndpointSlice','addressType':'IPv4',
               'metadata':{'name':'s%1$d-1','namespace':'shop',
                'labels':{'kubernetes.io/service-name':'s%1$d'}},
               'endpoints':[{'addresses':['%2$s'],'conditions':{'ready':true},
                'targetRef':{'kind':'Pod','namespace':'shop','name':'p%3$d'}}],
               'ports':[{'name':'web','port':8080}]}\
              """
                  .formatted(i, address(pod), pod)));
    }
    return objects;
  }

  private static String address(int pod) {
    return "10.0.%d.%d".formatted(pod / 250, pod % 250 + 1);
  }

  private static String json(String text) {
    return text.replace('\'', '"').replace("\n", "");
  }
}
