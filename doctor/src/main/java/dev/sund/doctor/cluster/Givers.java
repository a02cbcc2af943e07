package dev.sund.doctor.cluster;

import static dev.sund.doctor.cluster.ClusterObjects.items;
import static dev.sund.doctor.cluster.ClusterObjects.text;
import static dev.sund.doctor.cluster.ClusterObjects.texts;

import dev.sund.doctor.cluster.ClusterObjects.Kind;
import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Who gives Services of type LoadBalancer their addresses in a cluster, by what runs in it. */
final class Givers {
  private static final Pattern CLASS = Pattern.compile("--(?:lb-class|load-balancer-class)=(\\S+)");

  /** Words in the images of those that give addresses, and by which class of Services they go. */
  private static final Map<String, String> IMAGES = images();

  /** Providers of nodes that have no load balancers of their own. */
  private static final Set<String> NONE = Set.of("", "k3s", "kind", "rke2", "k0s", "minikube");

  private Givers() {}

  /**
   * Somebody who gives addresses.
   *
   * @param name what it is called
   * @param classes the values of {@code loadBalancerClass} that it is known to serve
   * @param only whether it leaves Services without a class alone
   */
  record Giver(String name, List<String> classes, boolean only) {}

  private static Map<String, String> images() {
    Map<String, String> images = new LinkedHashMap<>();
    images.put("metallb/controller", "");
    images.put("metallb-controller", "");
    images.put("kube-vip-cloud-provider", "kube-vip.io/kube-vip-class");
    images.put("kube-vip/kube-vip", "kube-vip.io/kube-vip-class");
    images.put("klipper-lb", "");
    images.put("openelb", "openelb.io/v1alpha1");
    images.put("purelb/allocator", "purelb.io/purelb");
    images.put("aws-load-balancer-controller", "service.k8s.aws/nlb");
    images.put("tailscale/k8s-operator", "tailscale");
    images.put("cloud-controller-manager", "");
    return images;
  }

  static List<Giver> of(ClusterObjects objects) {
    Map<String, Giver> found = new LinkedHashMap<>();
    for (Tree.Mapping pod : objects.all(Kind.POD)) {
      for (Tree.Mapping container : items(pod, "spec", "containers")) {
        String image = text(container, "image");
        IMAGES.forEach((word, own) -> {
          if (image.contains(word)) {
            Giver giver = giver(word, own, container);
            found.putIfAbsent(giver.name, giver);
          }
        });
      }
    }
    if (!objects.all(Kind.CILIUM_POOL).isEmpty()) {
      found.put(
          "cilium",
          new Giver(
              "cilium", List.of("io.cilium/bgp-control-plane", "io.cilium/l2-announcer"), false));
    }
    for (Tree.Mapping pool : objects.all(Kind.CALICO_POOL)) {
      if (texts(pool, "spec", "allowedUses").contains("LoadBalancer")) {
        found.put("calico", new Giver("calico", List.of("calico"), false));
      }
    }
    for (Tree.Mapping node : objects.all(Kind.NODE)) {
      String provider = text(node, "spec", "providerID").replaceFirst(":.*", "");
      if (!NONE.contains(provider)) {
        found.putIfAbsent("cloud " + provider, new Giver("cloud " + provider, List.of(), false));
      }
    }
    return List.copyOf(found.values());
  }

  private static Giver giver(String word, String own, Tree.Mapping container) {
    List<String> words = new ArrayList<>(texts(container, "command"));
    words.addAll(texts(container, "args"));
    Set<String> classes = new TreeSet<>();
    Matcher named = CLASS.matcher(String.join(" ", words));
    boolean only = false;
    while (named.find()) {
      classes.add(named.group(1));
      only = true; // it was told to look at that class alone
    }
    if (!own.isEmpty()) {
      classes.add(own);
    }
    // These two serve what names them, and leave the rest to others.
    only |= word.equals("tailscale/k8s-operator") || word.equals("aws-load-balancer-controller");
    String name =
        word.startsWith("metallb") ? "metallb" : word.substring(word.lastIndexOf('/') + 1);
    return new Giver(name, List.copyOf(classes), only);
  }
}
