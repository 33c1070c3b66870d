package newswire.lifecycle;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.elasticsearch.ResourceNotFoundException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.support.ActionFilters;
import org.elasticsearch.action.support.local.TransportLocalProjectMetadataAction;
import org.elasticsearch.action.support.master.AcknowledgedRequest;
import org.elasticsearch.action.support.master.AcknowledgedResponse;
import org.elasticsearch.action.support.master.AcknowledgedTransportMasterNodeAction;
import org.elasticsearch.cluster.AckedClusterStateUpdateTask;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.ProjectState;
import org.elasticsearch.cluster.block.ClusterBlockException;
import org.elasticsearch.cluster.block.ClusterBlockLevel;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.metadata.ProjectMetadata;
import org.elasticsearch.cluster.project.ProjectResolver;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.io.stream.Writeable;
import org.elasticsearch.common.regex.Regex;
import org.elasticsearch.common.util.concurrent.EsExecutors;
import org.elasticsearch.injection.guice.Inject;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.threadpool.ThreadPool;
import org.elasticsearch.transport.TransportService;
import org.elasticsearch.xpack.core.ilm.IndexLifecycleMetadata;
import org.elasticsearch.xpack.core.ilm.LifecyclePolicyMetadata;
import org.elasticsearch.xpack.core.ilm.LifecyclePolicyUsageCalculator;
import org.elasticsearch.xpack.core.ilm.OperationMode;
import org.elasticsearch.xpack.core.ilm.action.DeleteLifecycleAction;
import org.elasticsearch.xpack.core.ilm.action.GetLifecycleAction;
import org.elasticsearch.xpack.core.ilm.action.ILMActions;
import org.elasticsearch.xpack.core.ilm.action.PutLifecycleRequest;

/** Policies in the cluster state, where Elasticsearch keeps them itself. */
final class PolicyActions {
    private PolicyActions() {}

    private static SortedMap<String, LifecyclePolicyMetadata> policies(ProjectMetadata project) {
        IndexLifecycleMetadata kept = project.custom(IndexLifecycleMetadata.TYPE, IndexLifecycleMetadata.EMPTY);
        return new TreeMap<>(kept.getPolicyMetadatas());
    }

    /** An action that changes the policies. */
    @SuppressWarnings("deprecation") // the one way to change the cluster state without a queue of our own
    abstract static class Change<R extends AcknowledgedRequest<R>> extends AcknowledgedTransportMasterNodeAction<R> {
        private final ProjectResolver projects;

        Change(
            String name, TransportService transport, ClusterService cluster, ThreadPool threads, ActionFilters filters,
            Writeable.Reader<R> reader, ProjectResolver projects
        ) {
            super(name, transport, cluster, threads, filters, reader, EsExecutors.DIRECT_EXECUTOR_SERVICE);
            this.projects = projects;
        }

        /** Change the policies as the request asks. */
        abstract void change(R request, ProjectMetadata project, Map<String, LifecyclePolicyMetadata> policies);

        @Override
        protected void masterOperation(
            Task task, R request, ClusterState now, ActionListener<AcknowledgedResponse> listener
        ) {
            var update = new AckedClusterStateUpdateTask(request, listener) {
                @Override
                public ClusterState execute(ClusterState state) {
                    var project = projects.getProjectMetadata(state);
                    var policies = policies(project);
                    change(request, project, policies);
                    var kept = new IndexLifecycleMetadata(policies, OperationMode.RUNNING);
                    return state.copyAndUpdateProject(
                        project.id(), builder -> builder.putCustom(IndexLifecycleMetadata.TYPE, kept)
                    );
                }
            };
            clusterService.submitUnbatchedStateUpdateTask(actionName, update);
        }

        @Override
        protected ClusterBlockException checkBlock(R request, ClusterState state) {
            return state.blocks().globalBlockedException(ClusterBlockLevel.METADATA_WRITE);
        }
    }

    /** Keeps a policy under its name; one that is the same keeps its version. */
    public static final class Put extends Change<PutLifecycleRequest> {
        @Inject
        public Put(
            TransportService transport, ClusterService cluster, ThreadPool threads, ActionFilters filters,
            ProjectResolver projects
        ) {
            super(ILMActions.PUT.name(), transport, cluster, threads, filters, PutLifecycleRequest::new, projects);
        }

        @Override
        void change(PutLifecycleRequest request, ProjectMetadata project, Map<String, LifecyclePolicyMetadata> policies) {
            var policy = request.getPolicy();
            var before = policies.get(policy.getName());
            if (before != null && before.getPolicy().equals(policy)) {
                return;
            }
            long version = before == null ? 1 : before.getVersion() + 1;
            policies.put(
                policy.getName(), new LifecyclePolicyMetadata(policy, Map.of(), version, System.currentTimeMillis())
            );
        }
    }

    /** Deletes a policy that no index uses. */
    public static final class Delete extends Change<DeleteLifecycleAction.Request> {
        private final IndexNameExpressionResolver names;

        @Inject
        public Delete(
            TransportService transport, ClusterService cluster, ThreadPool threads, ActionFilters filters,
            ProjectResolver projects, IndexNameExpressionResolver names
        ) {
            super(
                DeleteLifecycleAction.NAME, transport, cluster, threads, filters, DeleteLifecycleAction.Request::new, projects
            );
            this.names = names;
        }

        @Override
        void change(
            DeleteLifecycleAction.Request request, ProjectMetadata project, Map<String, LifecyclePolicyMetadata> policies
        ) {
            String name = request.getPolicyName();
            var users = new LifecyclePolicyUsageCalculator(names, project, List.of(name)).retrieveCalculatedUsage(name);
            if (users.getIndices() != null && users.getIndices().isEmpty() == false) {
                throw new IllegalArgumentException("policy [" + name + "] is used by indices " + users.getIndices());
            }
            if (policies.remove(name) == null) {
                throw new ResourceNotFoundException("there is no policy [{}]", name);
            }
        }
    }

    /** Reads policies by names and patterns; all where none is named. */
    public static final class Get
        extends TransportLocalProjectMetadataAction<GetLifecycleAction.Request, GetLifecycleAction.Response> {
        private final IndexNameExpressionResolver resolver;

        @Inject
        public Get(
            TransportService transport, ClusterService cluster, ActionFilters filters, ProjectResolver projects,
            IndexNameExpressionResolver resolver
        ) {
            super(
                GetLifecycleAction.NAME, filters, transport.getTaskManager(), cluster,
                EsExecutors.DIRECT_EXECUTOR_SERVICE, projects
            );
            this.resolver = resolver;
        }

        @Override
        protected void localClusterStateOperation(
            Task task, GetLifecycleAction.Request request, ProjectState state,
            ActionListener<GetLifecycleAction.Response> listener
        ) {
            var policies = policies(state.metadata());
            var wanted = List.of(request.getPolicyNames());
            for (String name : wanted) {
                if (Regex.isSimpleMatchPattern(name) == false && policies.containsKey(name) == false) {
                    listener.onFailure(new ResourceNotFoundException("there is no policy [{}]", name));
                    return;
                }
            }
            policies.keySet().removeIf(name -> wanted.isEmpty() == false && Regex.simpleMatch(wanted, name) == false);
            if (policies.isEmpty()) { // of which the calculator knows nothing
                listener.onResponse(new GetLifecycleAction.Response(List.of()));
                return;
            }
            var usage = new LifecyclePolicyUsageCalculator(resolver, state.metadata(), List.copyOf(policies.keySet()));
            listener.onResponse(new GetLifecycleAction.Response(
                policies.values().stream().map(policy -> item(policy, usage)).toList()
            ));
        }

        private static GetLifecycleAction.LifecyclePolicyResponseItem item(
            LifecyclePolicyMetadata kept, LifecyclePolicyUsageCalculator usage
        ) {
            return new GetLifecycleAction.LifecyclePolicyResponseItem(
                kept.getPolicy(), kept.getVersion(), kept.getModifiedDateString(),
                usage.retrieveCalculatedUsage(kept.getName())
            );
        }

        @Override
        protected ClusterBlockException checkBlock(GetLifecycleAction.Request request, ProjectState state) {
            return state.blocks().globalBlockedException(ClusterBlockLevel.METADATA_READ);
        }
    }
}
