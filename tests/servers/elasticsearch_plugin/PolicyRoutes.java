package newswire.lifecycle;

import java.io.IOException;
import java.util.List;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.common.Strings;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestRequest.Method;
import org.elasticsearch.rest.RestUtils;
import org.elasticsearch.rest.action.RestChunkedToXContentListener;
import org.elasticsearch.rest.action.RestToXContentListener;
import org.elasticsearch.xpack.core.ilm.LifecyclePolicy;
import org.elasticsearch.xpack.core.ilm.action.DeleteLifecycleAction;
import org.elasticsearch.xpack.core.ilm.action.GetLifecycleAction;
import org.elasticsearch.xpack.core.ilm.action.ILMActions;
import org.elasticsearch.xpack.core.ilm.action.PutLifecycleRequest;

/** Policies over HTTP: what comes in becomes a request of one of the actions. */
final class PolicyRoutes {
    private static final String ONE = "/_ilm/policy/{name}";

    private PolicyRoutes() {}

    static final class Put extends BaseRestHandler {
        @Override
        public String getName() {
            return "newswire_put_policy";
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(Method.PUT, ONE));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest asked, NodeClient client) throws IOException {
            String name = asked.param("name");
            var factory = new PutLifecycleRequest.Factory() {
                @Override
                public PutLifecycleRequest create(LifecyclePolicy policy) {
                    return new PutLifecycleRequest(
                        RestUtils.getMasterNodeTimeout(asked), RestUtils.getAckTimeout(asked), policy
                    );
                }

                @Override
                public String getPolicyName() {
                    return name;
                }
            };
            try (var parser = asked.contentParser()) {
                var request = PutLifecycleRequest.parseRequest(factory, parser);
                return channel -> client.execute(ILMActions.PUT, request, new RestToXContentListener<>(channel));
            }
        }
    }

    static final class Get extends BaseRestHandler {
        @Override
        public String getName() {
            return "newswire_get_policy";
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(Method.GET, "/_ilm/policy"), new Route(Method.GET, ONE));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest asked, NodeClient client) {
            String[] names = Strings.splitStringByCommaToArray(asked.param("name"));
            var request = new GetLifecycleAction.Request(RestUtils.getMasterNodeTimeout(asked), names);
            return channel -> client.execute(
                GetLifecycleAction.INSTANCE, request, new RestChunkedToXContentListener<>(channel)
            );
        }
    }

    static final class Delete extends BaseRestHandler {
        @Override
        public String getName() {
            return "newswire_delete_policy";
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(Method.DELETE, ONE));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest asked, NodeClient client) {
            var request = new DeleteLifecycleAction.Request(
                RestUtils.getMasterNodeTimeout(asked), RestUtils.getAckTimeout(asked), asked.param("name")
            );
            return channel -> client.execute(
                DeleteLifecycleAction.INSTANCE, request, new RestToXContentListener<>(channel)
            );
        }
    }
}
