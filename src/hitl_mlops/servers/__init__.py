"""Label Studio, MLflow and Prefect as processes of ours: started, waited for, ended by their id."""
