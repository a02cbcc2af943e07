package dev.sund.agent.cni;

import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.local.Json;
import dev.sund.model.PodKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A CNI call as it came over the local socket, checked: the environment's words and the network
 * configuration.
 *
 * @param command {@code CNI_COMMAND}
 * @param plugin the name under which the plugin was called; {@code type}, when that was not said
 * @param containerId {@code CNI_CONTAINERID}; empty in GC and STATUS
 * @param interfaceName {@code CNI_IFNAME}; empty in GC and STATUS
 * @param netns {@code CNI_NETNS}; empty in GC and STATUS, and in a DEL whose namespace is gone
 * @param args {@code CNI_ARGS}, by name
 * @param config the configuration
 */
public record CniRequest(
    CniCommand command,
    String plugin,
    String containerId,
    String interfaceName,
    String netns,
    Map<String, String> args,
    NetworkConfig config) {
  private static final Pattern CONTAINER_ID = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.\\-]{0,199}");
  private static final Pattern INTERFACE = Pattern.compile("[^/:\\s\\p{Cntrl}]{1,15}");

  /** The request's field for each variable. */
  private static final Map<String, String> FIELDS =
      Map.of(
          "CNI_CONTAINERID", "containerId",
          "CNI_NETNS", "netns",
          "CNI_IFNAME", "ifname",
          "CNI_PATH", "path");

  public CniRequest {
    args = Map.copyOf(args);
  }

  /**
   * Checks a request's fields, in the order of CNI's library: environment, configuration, ids.
   *
   * @throws CniException naming field, value and remedy
   */
  static CniRequest of(CniCommand command, Map<String, Object> request, Map<String, Object> config)
      throws CniException {
    List<String> missing = new ArrayList<>();
    for (String variable : command.variables()) {
      if (word(request, FIELDS.getOrDefault(variable, variable), variable).isEmpty()) {
        missing.add(variable);
      }
    }
    if (!missing.isEmpty()) {
      throw environment(
          command + " needs " + String.join(", ", missing) + ", which the environment lacks.");
    }
    NetworkConfig network = NetworkConfig.parse(config, command);
    String containerId = word(request, "containerId", "CNI_CONTAINERID");
    String interfaceName = word(request, "ifname", "CNI_IFNAME");
    if (command.variables().contains("CNI_CONTAINERID")) {
      checkContainer(containerId);
      checkInterface(interfaceName);
    }
    String plugin = word(request, "plugin", "the plugin's name");
    Map<String, String> args = args(word(request, "args", "CNI_ARGS"));
    return new CniRequest(
        command,
        plugin.isEmpty() ? network.type() : plugin,
        containerId,
        interfaceName,
        word(request, "netns", "CNI_NETNS"),
        args,
        command == CniCommand.ADD ? network.withArgs(args) : network);
  }

  /** The attachment's key. */
  public String key() {
    return containerId + "/" + interfaceName;
  }

  /**
   * The pod that a kubelet's runtime names; empty when a runtime without Kubernetes calls (podman,
   * ctr).
   *
   * @throws CniException when it is named by half
   */
  public Optional<PodKey> pod() throws CniException {
    String namespace = args.getOrDefault("K8S_POD_NAMESPACE", "");
    String name = args.getOrDefault("K8S_POD_NAME", "");
    if (namespace.isEmpty()) {
      return Optional.empty(); // podman says its container's name in K8S_POD_NAME
    }
    if (name.isEmpty()) {
      throw environment("CNI_ARGS names a pod by K8S_POD_NAMESPACE without K8S_POD_NAME.");
    }
    return Optional.of(new PodKey(namespace, name));
  }

  /** The pod's uid, {@code K8S_POD_UID}; empty when it was not said. */
  public String podUid() {
    return args.getOrDefault("K8S_POD_UID", "");
  }

  private static void checkContainer(String id) throws CniException {
    if (!CONTAINER_ID.matcher(id).matches()) {
      throw environment("CNI_CONTAINERID '" + id + "' is not a container id.");
    }
  }

  private static void checkInterface(String name) throws CniException {
    if (!INTERFACE.matcher(name).matches()
        || name.equals(".")
        || name.equals("..")
        || name.equals("lo")) {
      throw environment("CNI_IFNAME '" + name + "' is not the name of an interface.");
    }
  }

  private static String word(Map<String, Object> request, String field, String variable)
      throws CniException {
    Object value = request.getOrDefault(field, "");
    if (value instanceof String text) {
      return text;
    }
    throw environment(variable + " '" + Json.write(value) + "' is not text.");
  }

  private static Map<String, String> args(String text) throws CniException {
    Map<String, String> args = new LinkedHashMap<>();
    for (String pair : text.split(";")) {
      if (pair.isBlank()) {
        continue;
      }
      int equals = pair.indexOf('=');
      if (equals <= 0) {
        throw environment("CNI_ARGS holds '" + pair + "', which is not NAME=VALUE.");
      }
      args.put(pair.substring(0, equals).strip(), pair.substring(equals + 1).strip());
    }
    return args;
  }

  static CniException environment(String message) {
    return new CniException(
        Code.INVALID_ENVIRONMENT,
        message,
        "This comes from the container runtime: look at its log for the call it made.");
  }
}
