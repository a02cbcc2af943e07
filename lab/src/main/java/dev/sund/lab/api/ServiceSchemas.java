package dev.sund.lab.api;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What an API server refuses of Services and EndpointSlices, as far as a network has to do with it:
 * wrong words, ports that there are none of, ports that cannot be told apart, slices without
 * family.
 */
final class ServiceSchemas {
  private static final String PORT = "{'type':'integer','minimum':1,'maximum':65535}";
  private static final String PROTOCOL = "{'type':'string','enum':['TCP','UDP','SCTP']}";
  private static final String POLICY = "{'type':'string','enum':['Cluster','Local']}";

  private static final Schema SERVICE =
      schema(
          "'spec':{'type':'object','properties':{"
              + "'type':{'type':'string','enum':['ExternalName','ClusterIP','NodePort','LoadBalancer']},"
              + "'sessionAffinity':{'type':'string','enum':['ClientIP','None']},"
              + ("'externalTrafficPolicy':" + POLICY + ",'internalTrafficPolicy':" + POLICY + ",")
              + "'healthCheckNodePort':{'type':'integer','minimum':0,'maximum':65535},"
              + "'ports':{'type':'array','items':{'type':'object','required':['port'],'properties':{"
              + ("'port':" + PORT + ",'protocol':" + PROTOCOL + ",")
              + "'nodePort':{'type':'integer','minimum':0,'maximum':65535}}}}}}");

  private static final Schema SLICE =
      schema(
          "'addressType':{'type':'string','enum':['IPv4','IPv6','FQDN']},"
              + "'endpoints':{'type':'array','maxItems':1000,'items':{'type':'object',"
              + "'required':['addresses'],'properties':{"
              + "'addresses':{'type':'array','minItems':1,'maxItems':100}}}},"
              + "'ports':{'type':'array','maxItems':100,'items':{'type':'object','properties':{"
              + ("'port':" + PORT + ",'protocol':" + PROTOCOL + "}}}"),
          "addressType");

  private ServiceSchemas() {}

  private static Schema schema(String properties, String... required) {
    String text =
        "{'schema':{'openAPIV3Schema':{'type':'object','required':"
            + (required.length == 0 ? "[]" : "['" + required[0] + "']")
            + ",'properties':{"
            + properties
            + "}}}}";
    try {
      return Schema.of((Tree.Mapping) JsonTrees.parse(text.replace('\'', '"')));
    } catch (MalformedException e) {
      throw new AssertionError(text, e);
    }
  }

  /** What is wrong with an object, each as FIELD, a colon and what; of other kinds nothing is. */
  static List<String> faults(Resource resource, Tree.Mapping object) {
    if (resource.equals(Resource.SERVICES)) {
      List<String> faults = new ArrayList<>(SERVICE.faults(object));
      faults.addAll(alike(Json.mappings(Json.child(object, "spec"), "ports")));
      return faults;
    }
    return resource.equals(Resource.ENDPOINT_SLICES) ? SLICE.faults(object) : List.of();
  }

  /** Several ports have names, and no two have one name, or one number and protocol. */
  private static List<String> alike(List<Tree.Mapping> ports) {
    List<String> faults = new ArrayList<>();
    Set<String> names = new HashSet<>();
    Set<String> numbers = new HashSet<>();
    for (int i = 0; i < ports.size(); i++) {
      String at = "spec.ports[" + i + "]";
      Optional<String> name = ports.get(i).text("name").filter(text -> !text.isEmpty());
      if (ports.size() > 1 && name.isEmpty()) {
        faults.add(at + ".name: Required value");
      }
      if (name.isPresent() && !names.add(name.get())) {
        faults.add(at + ".name: Duplicate value: \"" + name.get() + "\"");
      }
      String number =
          ports.get(i).text("port").orElse("") + "/" + ports.get(i).text("protocol").orElse("TCP");
      if (!numbers.add(number)) {
        faults.add(at + ": Duplicate value: \"" + number + "\"");
      }
    }
    return faults;
  }
}
