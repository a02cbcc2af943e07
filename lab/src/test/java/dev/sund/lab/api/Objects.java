package dev.sund.lab.api;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;

/** Objects for tests. */
final class Objects {
  private Objects() {}

  static Tree.Mapping json(String text) {
    try {
      return (Tree.Mapping) JsonTrees.parse(text.replace('\'', '"'));
    } catch (MalformedException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  static Tree.Mapping node(String name, String address) {
    return json(
        ("{'apiVersion':'v1','kind':'Node','metadata':{'name':'%s'},"
                + "'status':{'addresses':[{'type':'InternalIP','address':'%s'}]}}")
            .formatted(name, address));
  }

  static Tree.Mapping namespace(String name) {
    return json("{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'%s'}}".formatted(name));
  }

  static Tree.Mapping pod(String namespace, String name, String node, String ip) {
    return json(
        ("{'apiVersion':'v1','kind':'Pod','metadata':{'namespace':'%s','name':'%s',"
                + "'labels':{'app':'%s'}},"
                + "'spec':{'nodeName':'%s','containers':[{'ports':[{'containerPort':80}]}]},"
                + "'status':{'phase':'Running','podIP':'%s'}}")
            .formatted(namespace, name, name, node, ip));
  }

  static Tree.Mapping service(String namespace, String name, String clusterIp) {
    return json(
        ("{'apiVersion':'v1','kind':'Service','metadata':{'namespace':'%s','name':'%s'},"
                + "'spec':{'clusterIP':'%s','ports':[{'port':80}]}}")
            .formatted(namespace, name, clusterIp));
  }

  /** A slice of a Service; of none when the Service's name is empty. */
  static Tree.Mapping slice(String namespace, String name, String service, String address) {
    return json(
        ("{'apiVersion':'discovery.k8s.io/v1','kind':'EndpointSlice','metadata':"
                + "{'namespace':'%s','name':'%s','labels':{'kubernetes.io/service-name':'%s'}},"
                + "'addressType':'IPv4','ports':[{'port':8080}],"
                + "'endpoints':[{'addresses':['%s']}]}")
            .formatted(namespace, name, service, address));
  }

  static Tree.Mapping pool(String apiVersion, String name, String cidr, String mode) {
    return json(
        ("{'apiVersion':'%s','kind':'IPPool','metadata':{'name':'%s'},"
                + "'spec':{'cidr':'%s','vxlanMode':'%s'}}")
            .formatted(apiVersion, name, cidr, mode));
  }
}
