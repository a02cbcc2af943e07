package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Whose addresses are: this node's records, what its agent knows, and a cluster that is asked. Who
 * does not answer knows nothing: a capture works without names.
 */
final class CaptureNames {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @Mixin AgentTalk agent = new AgentTalk();

  @Option(
      names = {"-n", "--no-names"},
      description = "Print addresses, also where it is known whose they are.")
  boolean none;

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description = "Ask this cluster for the names of all its pods and Services, once.")
  @Nullable Path kubeconfig;

  /** All that is known; the later source has the last word. */
  Map<Ip, String> read(PodNetworks pods) {
    Map<Ip, String> names = new LinkedHashMap<>();
    if (none) {
      return names;
    }
    names.putAll(pods.names());
    try {
      ofAgent(names);
    } catch (IOException | CommandFailure _) {
      // an agent that is not there, or another's
    }
    if (kubeconfig != null) {
      ofCluster(KubeconfigOption.read(kubeconfig), names);
    }
    return names;
  }

  private void ofAgent(Map<Ip, String> names) throws IOException {
    Optional<AgentTalk.Said> services = agent.tryAsk(Map.of("command", "SERVICE", "verb", "list"));
    if (services.isEmpty()) {
      return;
    }
    for (Map<String, Object> service : Json.children(services.get().fields(), "services")) {
      String name =
          service(String.valueOf(service.get("namespace")), String.valueOf(service.get("name")));
      put(names, Json.texts(service, "clusterIPs"), name);
      put(names, Json.texts(service, "externalIPs"), name);
    }
    for (Map<String, Object> pod :
        Json.children(agent.ask(Map.of("command", "STATUS")).fields(), "attachments")) {
      put(names, Json.texts(pod, "addresses"), String.valueOf(pod.get("pod")));
    }
  }

  private static void ofCluster(ApiServer server, Map<Ip, String> names) {
    try (ApiObjects api = new ApiObjects(server, Dialer.HERE, PATIENCE)) {
      for (Tree.Mapping pod : api.list(ApiPath.of("v1", "pods").all())) {
        if (pod.mapping("spec").flatMap(spec -> spec.text("hostNetwork")).isEmpty()) {
          put(names, addresses(pod, "status", "podIPs"), name(pod));
        }
      }
      for (Tree.Mapping service : api.list(ApiPath.of("v1", "services").all())) {
        put(names, addresses(service, "spec", "clusterIPs"), "svc:" + name(service));
      }
      for (Tree.Mapping node : api.list(ApiPath.of("v1", "nodes").all())) {
        put(names, addresses(node, "status", "addresses"), "node:" + name(node));
      }
    } catch (IOException e) {
      throw KubeconfigOption.unanswered(server, e);
    }
  }

  private static List<String> addresses(Tree.Mapping object, String part, String field) {
    return object
        .mapping(part)
        .flatMap(fields -> fields.get(field))
        .filter(Tree.Sequence.class::isInstance)
        .map(list ->
            ((Tree.Sequence) list)
                .items().stream().flatMap(item -> address(item).stream()).toList())
        .orElse(List.of());
  }

  /** {@code 10.0.0.1}, {@code ip: 10.0.0.1} or {@code address: 10.0.0.1}. */
  private static Optional<String> address(Tree item) {
    return switch (item) {
      case Tree.Scalar text -> Optional.of(text.text());
      case Tree.Mapping fields -> fields.text("ip").or(() -> fields.text("address"));
      case Tree.Sequence _ -> Optional.empty();
    };
  }

  private static String name(Tree.Mapping object) {
    Tree.Mapping metadata = object.mapping("metadata").orElse(object);
    String namespace = metadata.text("namespace").orElse("");
    String name = metadata.text("name").orElse("");
    return namespace.isEmpty() ? name : namespace + "/" + name;
  }

  private static String service(String namespace, String name) {
    return "svc:" + namespace + "/" + name;
  }

  private static void put(Map<Ip, String> names, List<String> addresses, String name) {
    addresses.forEach(text -> Ip.tryParse(text).ifPresent(ip -> names.put(ip, name)));
  }
}
